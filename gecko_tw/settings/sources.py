"""Where settings are given, and which place decides: the command line, the environment, the configuration file, the default.

The first of these that names a setting decides. An empty environment variable counts as not set.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen

from gecko_tw.settings import SETTINGS, BadSetting, Setting, Settings, kinds

MOST_PORT = 65535
MOST_ALIASES = 16
"""Each one makes a wrong signature dearer to refuse."""


@frozen
class Given:
    """A setting as one place names it.

    :ivar source: the flag, the environment variable, or the key in a configuration file with its line.
    :ivar texts: one, or several where the setting may be given more than once.
    """

    source: str
    texts: tuple[str, ...] = field(repr=False)

    def value(self, one: Setting) -> Any:  # of the type of the setting's field
        """What the texts mean. Raises BadSetting."""
        read = tuple(one.read(self.source, text) for text in self.texts)
        return read if one.several else read[-1]


HOURS = "_HOURS"
"""What the name of a variable ends in whose number is one of hours, as Jay has it."""

Flags = Mapping[str, str | Sequence[str] | None]
NOTHING: Mapping[str, Given] = {}


def read_settings(flags: Flags, environment: Mapping[str, str], file: Mapping[str, Given] = NOTHING) -> Settings:
    """The settings in force.

    :param flags: texts by field name; None or an empty list for a flag that was not given.
    :param file: what a configuration file names, by field name.
    :raises BadSetting: for the first value that is not allowed.
    """
    found = {one: given_by(one, flags, environment, file) for one in SETTINGS}
    return _consistent(Settings(**{one.name: given.value(one) for one, given in found.items() if given is not None}))


def given_by(
    one: Setting, flags: Flags, environment: Mapping[str, str], file: Mapping[str, Given] = NOTHING
) -> Given | None:
    """What decides about a setting, or None when nothing but its default does."""
    return next(places_of(one, flags, environment, file), None)


def file_of(flags: Flags, environment: Mapping[str, str]) -> Path | None:
    """The configuration file to read, if any. Raises BadSetting."""
    config = next(one for one in SETTINGS if one.name == "config")
    given = given_by(config, flags, environment)
    return None if given is None else given.value(config)


def places_of(
    one: Setting, flags: Flags, environment: Mapping[str, str], file: Mapping[str, Given] = NOTHING
) -> Iterator[Given]:
    """Every place that names a setting; the first one decides."""
    given = flags.get(one.name)
    if given is not None and given not in ((), []):
        yield Given(one.flag, (given,) if isinstance(given, str) else tuple(given))
    for name in one.environment:
        text = environment.get(name)
        if text and name.endswith(HOURS):
            text += "h"
        texts = tuple(filter(None, re.split(r"[,\s]+", text))) if text and one.several else (text,) if text else ()
        if texts:
            yield Given(name, texts)
            break
    if one.name in file:
        yield file[one.name]


def _consistent(settings: Settings) -> Settings:
    """Settings that belong together. Raises BadSetting."""
    _check_tls(settings)
    if settings.multipart_max_age and not settings.multipart_sweep_interval:
        raise BadSetting(
            "--multipart-sweep-interval: '0' is not allowed; allowed is a longer duration, or --multipart-max-age=0 as well"
        )
    if settings.layout == "pool" and settings.attributes != "xattr":
        raise BadSetting("--attributes: 'sidecar' is not allowed; allowed is another layout than --layout=pool with it")
    _check_shared(settings)
    if len(settings.host_alias) > MOST_ALIASES:
        raise BadSetting(f"--host-alias: {len(settings.host_alias)} names are not allowed; allowed are {MOST_ALIASES}")
    seed = {
        "seed-account": settings.seed_account,
        "seed-key-id": settings.seed_key_id,
        "seed-secret": settings.seed_secret,
    }
    unsaid = [f"--{name}" for name, value in seed.items() if not value]
    if 0 < len(unsaid) < len(seed):
        raise BadSetting(
            f"{' and '.join(unsaid)}: '' is not allowed; allowed is a text when others of the three are given"
        )
    if settings.seed_key_id == settings.access_key:
        raise BadSetting("--seed-key-id: that of --access-key is not allowed; allowed is another access key id")
    for flag, duration in (
        ("--lifecycle-interval", settings.lifecycle_interval),
        ("--lifecycle-day", settings.lifecycle_day),
        ("--access-log-interval", settings.access_log_interval),
    ):
        if not duration:
            raise BadSetting(f"{flag}: '0' is not allowed; allowed is a longer duration")
    return settings


def _check_tls(settings: Settings) -> None:
    """Raises BadSetting."""
    certificates, keys = (list(filter(None, paths)) for paths in (settings.tls_cert, settings.tls_key))
    if bool(certificates) != bool(keys):
        missing = "--tls-key" if certificates else "--tls-cert"
        raise BadSetting(
            f"{missing}: '' is not allowed; allowed is a PEM file's path when the other of the two is given"
        )
    if len(certificates) != len(keys):
        raise BadSetting(f"--tls-key: {len(keys)} are not allowed; allowed is one for each --tls-cert")
    secure = settings.tls == "dev" or bool(certificates) or bool(settings.acme)
    if settings.tls == "dev" and (certificates or settings.acme):
        raise BadSetting("--tls: 'dev' is not allowed; allowed is files when --tls-cert or --acme is given")
    if settings.acme and certificates:
        raise BadSetting("--acme: is not allowed with --tls-cert; allowed is one of the two")
    if bool(settings.acme) != any(settings.acme_domain):
        missing = "--acme-domain" if settings.acme else "--acme"
        raise BadSetting(f"{missing}: '' is not allowed; allowed is a value when the other of the two is given")
    authorities = [settings.tls_client_ca] if settings.tls_client_ca else []
    named = (("--tls-cert", certificates), ("--tls-key", keys), ("--tls-client-ca", authorities))
    for flag, path in ((flag, path) for flag, paths in named for path in paths):
        if not path.is_file():
            raise BadSetting(f"{flag}: {str(path)!r} is not allowed; allowed is a PEM file that exists")
    if authorities and not secure:
        raise BadSetting(
            "--tls-client-ca: is not allowed without https; allowed is --tls-cert, --acme or --tls=dev with it"
        )
    secure = secure or any(text.startswith(("ssl:", "tls:")) for text in settings.listen)
    if settings.redirect_listen != "off" and not secure:
        raise BadSetting(
            "--redirect-listen: is not allowed without https; allowed is --tls-cert, --acme or --tls=dev with it"
        )
    if settings.redirect_port > MOST_PORT:
        raise BadSetting(
            f"--redirect-port: '{settings.redirect_port}' is not allowed; allowed is a port up to {MOST_PORT}"
        )


def _check_shared(settings: Settings) -> None:
    """Refuses what does not go with where records are kept. Raises BadSetting."""
    if settings.catalog == "files":
        if settings.blobs:
            raise BadSetting(
                f"--blobs: {settings.blobs!r} is not allowed; allowed is nothing unless --catalog is a database"
            )
        return
    if settings.layout != "files":
        raise BadSetting(f"--layout: {settings.layout!r} is not allowed; allowed is none when --catalog is a database")
    if settings.attributes != "xattr":
        raise BadSetting("--attributes: 'sidecar' is not allowed; allowed is none when --catalog is a database")
    if not settings.encryption_key:
        raise BadSetting(
            "--encryption-key: '' is not allowed; allowed is a key, the same for all nodes, when --catalog is a database"
        )


def texts_of(settings: Settings) -> dict[str, str | list[str]]:
    """Settings as texts by field name: what :func:`read_settings` makes the same settings of."""
    texts: dict[str, str | list[str]] = {}
    for one in SETTINGS:
        value = getattr(settings, one.name)
        texts[one.name] = [*map(_text, value)] if one.several else _text(value)
    return texts


def _text(value: object) -> str:
    return "" if value is None else str(value)


def plain_arguments(arguments: Sequence[str]) -> list[str]:
    """A command line in GeckoS3's style as one of ours: ``-fsync`` becomes ``--fsync=true``, ``-data-dir=x`` ``--data-dir=x``."""
    switches = {one.flag for one in SETTINGS if one.kind is kinds.BOOLEAN}
    flags = {one.flag for one in SETTINGS}
    plain: list[str] = []
    for index, argument in enumerate(arguments):
        if argument.startswith("-") and "-" + argument.partition("=")[0] in flags:
            argument = "-" + argument
        following = arguments[index + 1] if index + 1 < len(arguments) else "-"
        if argument in switches and following not in kinds.TRUE + kinds.FALSE:
            argument += "=true"
        plain.append(argument)
    return plain

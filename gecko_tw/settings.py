"""Every setting once: its flag, its environment names, its default, what it allows and what it means.

The first of these that names a setting decides: the command line, the environment, the default. An empty environment variable
counts as not set.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import Attribute, field, fields, frozen

from gecko_tw import kinds
from gecko_tw.kinds import Kind

DEFAULT_KEY = "geckoadmin"


class BadSetting(Exception):  # noqa: N818 - named for what it tells
    """A setting has a value that is not allowed. Its text is one line: the setting, the value, what is allowed."""


@frozen
class Setting:
    """How one field of :class:`Settings` is written.

    :ivar name: the field's name.
    :ivar environment: names of environment variables, the first that is set and not empty counts.
    :ivar default: as text, the way a person would write it.
    :ivar several: may be given more than once; in the environment separated by commas or white space.
    :ivar secret: its value is never shown.
    """

    name: str
    environment: tuple[str, ...]
    default: str
    kind: Kind
    help: str
    several: bool = False
    secret: bool = False

    @property
    def flag(self) -> str:
        """The flag, e.g. ``--data-dir``; without its dashes it is the key of a configuration file."""
        return "--" + self.name.replace("_", "-")

    def read(self, source: str, text: str) -> Any:
        """The value of a text. Raises BadSetting, naming ``source``: the flag or the environment variable."""
        try:
            return self.kind.read(text)
        except ValueError:
            shown = "this value" if self.secret else repr(text)
            raise BadSetting(f"{source}: {shown} is not allowed; allowed is {self.kind.allowed}") from None


def setting(default: str, kind: Kind, text: str, *environment: str, **more: Any) -> Any:
    """A field of Settings. ``environment`` replaces the variable made of the field's name; ``more`` as in :class:`Setting`."""
    value = kind.read(default)
    described = {"default": default, "kind": kind, "help": text, "environment": environment, **more}
    return field(default=(value,) if more.get("several") else value, metadata=described)


@frozen(kw_only=True)
class Settings:
    """What a daemon is told: GeckoS3's settings first, under its names, then ours. Durations in seconds, sizes in bytes."""

    data_dir: Path = setting("./data", kinds.FOLDER, "the directory to serve; made when it is missing")
    listen: tuple[str, ...] = setting(
        ":9000",
        kinds.LISTEN,
        "where to listen: `:port`, `host:port`, `[address]:port` or a Twisted endpoint string (`unix:/run/s3.sock`, `ssl:…`,"
        " `systemd:domain=INET:index=0`); may be given more than once",
        several=True,
    )
    access_key: str = setting(
        DEFAULT_KEY, kinds.TEXT, "the access key id that may do everything", "GECKOS3_ACCESS_KEY", "MINIO_ROOT_USER"
    )
    secret_key: str = setting(
        DEFAULT_KEY,
        kinds.TEXT,
        "its secret; better given in the environment, where other users of the machine cannot read it",
        "GECKOS3_SECRET_KEY",
        "MINIO_ROOT_PASSWORD",
        secret=True,
    )
    auth: bool = setting(
        "true",
        kinds.BOOLEAN,
        "whether requests must be signed; `false` lets everybody do everything",
        "GECKOS3_AUTH_ENABLED",
    )
    metadata: bool = setting(
        "true", kinds.BOOLEAN, "whether to hash bodies and keep attributes; `false` is for caches and tests of others"
    )
    fsync: bool = setting("false", kinds.BOOLEAN, "whether a success means that the bytes are on the disk")
    attributes: str = setting(
        "xattr",
        kinds.one_of("xattr", "sidecar"),
        "where an object's attributes are kept beside its bytes: an extended attribute, or a `<name>.metadata.json` file",
    )
    workers: int = setting(
        "auto", kinds.WORKERS, "how many processes answer requests; `auto` is one a core, 1 serves in the main process"
    )
    threads: int = setting("16", kinds.COUNT, "threads for disk work in each process, at most")
    region: str = setting("", kinds.ANY_TEXT, "the region that signatures must name; empty accepts any")
    signature_v2: bool = setting(
        "true",
        kinds.BOOLEAN,
        "whether presigned URLs and browser forms of signature version 2 are accepted: boto3 makes them unless it is told otherwise",
    )
    domain: str = setting(
        "", kinds.DOMAIN, "serve `bucket.<domain>` as the bucket, too; without it only paths name buckets"
    )
    tls_cert: Path | None = setting(
        "", kinds.FILE, "certificate chain as a PEM file: turns the host and port forms of `--listen` into https"
    )
    tls_key: Path | None = setting("", kinds.FILE, "the private key of `--tls-cert` as a PEM file")
    cors: str = setting(
        "permissive",
        kinds.one_of("permissive", "bucket"),
        "`permissive` lets pages of every origin read answers until a bucket has a CORS configuration of its own; `bucket` only"
        " then, as AWS does",
    )
    min_part_size: int = setting(
        "5MiB", kinds.SIZE, "the least size of a part of a multipart upload, but the last; `0` allows any"
    )
    multipart_max_age: float = setting(
        "24h", kinds.DURATION, "multipart uploads older than this are aborted; `0` keeps them"
    )
    multipart_sweep_interval: float = setting("1h", kinds.DURATION, "how often to look for such uploads")
    scan_interval: float = setting(
        "1h", kinds.DURATION, "how often to look through the directory for files put there by others; `0` only at start"
    )
    max_in_flight: int = setting(
        "1024", kinds.COUNT, "requests under way in each process before further ones are answered 503 SlowDown"
    )
    shutdown_timeout: float = setting("30s", kinds.DURATION, "how long requests under way may take after SIGTERM")
    request_log: bool = setting("true", kinds.BOOLEAN, "whether to write a line for each request to standard output")
    log_level: str = setting(
        "info",
        kinds.one_of("debug", "info", "warn", "error", "critical"),
        "the least level of messages on standard error",
    )
    log_format: str = setting(
        "mixed",
        kinds.one_of("mixed", "json", "text"),
        "`mixed` writes requests as JSON and messages as text, as GeckoS3 does",
    )


def _described(attribute: Attribute) -> Setting:  # type: ignore[type-arg]
    more = dict(attribute.metadata)
    more["environment"] = more["environment"] or ("GECKOS3_" + attribute.name.upper(),)
    return Setting(name=attribute.name, **more)


SETTINGS: tuple[Setting, ...] = tuple(_described(attribute) for attribute in fields(Settings))
"""Every setting, in the order of the fields."""


def read_settings(flags: Mapping[str, str | Sequence[str] | None], environment: Mapping[str, str]) -> Settings:
    """The settings in force.

    :param flags: texts by field name; None or an empty list for a flag that was not given.
    :raises BadSetting: for the first value that is not allowed.
    """
    values: dict[str, Any] = {}
    for one in SETTINGS:
        given = flags.get(one.name)
        if given is None or given in ((), []):
            source, texts = _from_environment(one, environment)
        else:
            source, texts = one.flag, [given] if isinstance(given, str) else list(given)
        read = [one.read(source, text) for text in texts]
        if read:
            values[one.name] = tuple(read) if one.several else read[-1]
    return _consistent(Settings(**values))


def _from_environment(one: Setting, environment: Mapping[str, str]) -> tuple[str, list[str]]:
    """The variable that is set, and its texts; no texts when none is."""
    source = next((name for name in one.environment if environment.get(name)), "")
    if not source:
        return "", []
    text = environment[source]
    return source, [part for part in re.split(r"[,\s]+", text) if part] if one.several else [text]


def _consistent(settings: Settings) -> Settings:
    """Settings that belong together. Raises BadSetting."""
    if (settings.tls_cert is None) != (settings.tls_key is None):
        missing = "--tls-key" if settings.tls_key is None else "--tls-cert"
        raise BadSetting(
            f"{missing}: '' is not allowed; allowed is a PEM file's path when the other of the two is given"
        )
    for flag, path in (("--tls-cert", settings.tls_cert), ("--tls-key", settings.tls_key)):
        if path is not None and not path.is_file():
            raise BadSetting(f"{flag}: {str(path)!r} is not allowed; allowed is a PEM file that exists")
    if settings.multipart_max_age and not settings.multipart_sweep_interval:
        raise BadSetting(
            "--multipart-sweep-interval: '0' is not allowed; allowed is a longer duration, or --multipart-max-age=0 as well"
        )
    return settings


def texts_of(settings: Settings) -> dict[str, str | list[str]]:
    """Settings as texts by field name: what :func:`read_settings` makes the same settings of."""
    texts: dict[str, str | list[str]] = {}
    for one in SETTINGS:
        value = getattr(settings, one.name)
        texts[one.name] = [str(item) for item in value] if one.several else "" if value is None else str(value)
    return texts


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

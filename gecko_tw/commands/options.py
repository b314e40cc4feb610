"""Settings as flags of commands, and the Settings in force when one runs."""

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

import click

from gecko_tw.commands.telling import as_json
from gecko_tw.settings import SETTINGS, BadSetting, Setting, Settings
from gecko_tw.settings.sources import Flags, file_of, plain_arguments, read_settings

STORE = ("data_dir", "layout", "metadata", "fsync", "attributes", "encryption_key", "catalog", "blobs", "s3_target")
"""Names of the settings that say how a data directory is opened."""

ENDPOINT = click.option(
    "--endpoint-url", default="", metavar="URL", help="Of an S3 that is not AWS's, for s3://…  [AWS_ENDPOINT_URL]"
)
"""The option that says where ``s3://`` is."""


class Command(click.Command):
    """A command that takes GeckoS3's style of flags as well: ``-data-dir=x``, ``-fsync``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, plain_arguments(args))


def with_settings(
    names: Iterable[str] | None = None, own: Iterable[str] = (), telling: bool = True
) -> Callable[[Callable[..., Any]], Any]:
    """Gives a command the flags of these settings, all by default, and calls it with the Settings in force.

    :param own: the command's own parameters, which it gets by name.
    :param telling: whether it answers by :func:`~gecko_tw.commands.telling.tell`.
    """
    wanted = [one for one in SETTINGS if names is None or one.name in names or one.name == "config"]

    def decorate(function: Callable[..., Any]) -> Any:
        def command(**flags: Any) -> None:
            given = {name: flags.pop(name) for name in own}
            try:
                settings = _in_force(flags)
            except BadSetting as bad:
                raise click.ClickException(str(bad)) from None
            sys.exit(function(settings, **given))

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        for one in reversed(wanted):
            command = _option(one)(command)
        return as_json(command) if telling else command

    return decorate


def _in_force(flags: Flags) -> Settings:
    if file_of(flags, os.environ) is None:
        return read_settings(flags, os.environ)
    from gecko_tw.settings.reading import configured

    return configured(flags, os.environ)


def _option(one: Setting) -> Callable[[Any], Any]:
    environment = " or ".join(one.environment)
    text = f"{one.help}  [{environment}; default: {one.default or 'none'}]"
    return click.option(one.flag, one.name, multiple=one.several, default=None, metavar=one.kind.word, help=text)

"""The ``geckos3`` command: serve in the foreground, look after a data directory, ask a running daemon for its health."""

import os
import sys
from collections.abc import Callable, Iterable
from http.client import HTTPException
from pathlib import Path
from typing import Any

import click

from gecko_tw import __version__
from gecko_tw.settings import SETTINGS, BadSetting, Setting, Settings, plain_arguments, read_settings

_STORE = ("data_dir", "metadata", "fsync", "attributes")
_PLACE = ("listen", "tls_cert", "tls_key")


class _Command(click.Command):
    """A command that takes GeckoS3's style of flags as well: ``-data-dir=x``, ``-fsync``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, plain_arguments(args))


def _settings(names: Iterable[str] | None = None) -> Callable[[Callable[[Settings], Any]], Any]:
    """Gives a command the flags of these settings, all by default, and calls it with the Settings in force."""
    wanted = [one for one in SETTINGS if names is None or one.name in names]

    def decorate(function: Callable[[Settings], Any]) -> Any:
        def command(**flags: Any) -> None:
            try:
                settings = read_settings(flags, os.environ)
            except BadSetting as bad:
                raise click.ClickException(str(bad)) from None
            sys.exit(function(settings))

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        for one in reversed(wanted):
            command = _option(one)(command)
        return command

    return decorate


def _option(one: Setting) -> Callable[[Any], Any]:
    environment = " or ".join(one.environment)
    text = f"{one.help}  [{environment}; default: {one.default or 'none'}]"
    return click.option(one.flag, one.name, multiple=one.several, default=None, metavar=one.kind.word, help=text)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="geckos3", message="%(prog)s %(version)s")
def main() -> None:
    """GeckoS3 on Twisted: a self-hosted, S3-compatible object store."""


@main.command(cls=_Command, name="serve")
@_settings()
def serve_command(settings: Settings) -> int:
    """Serve in the foreground until SIGTERM; the same as `twistd -n geckos3`."""
    from gecko_tw import tap

    return tap.serve(settings)


@main.command(cls=_Command)
@_settings(_STORE)
def adopt(settings: Settings) -> int:
    """Take over files that were put into the data directory by others. May run beside a daemon."""
    return _with_data(settings, lambda data: f"{data.adopt(_progress)} files are adopted")


@main.command(cls=_Command)
@_settings(_STORE)
def rebuild(settings: Settings) -> int:
    """Make the catalog anew from the files alone. Stop the daemon first."""

    def work(data: Any) -> str:
        data.rebuild()
        return "the catalog is made anew"

    return _with_data(settings, work)


def _with_data(settings: Settings, work: Callable[[Any], str]) -> int:
    from gecko_tw.data_dir import CannotOpen, DataDir

    data = DataDir(settings)
    try:
        data.open()
        click.echo(work(data))
    except CannotOpen as problem:
        raise click.ClickException(str(problem)) from problem
    finally:
        data.close()
    return 0


def _progress(count: int) -> None:
    click.echo(f"{count} files are looked at", err=True)


@main.command()
def operations() -> None:
    """Print every operation this deployment answers."""
    from gecko_tw.tables import operations_text

    click.echo(operations_text(_table()), nl=False)


@main.command(hidden=True)
@click.argument("readme", type=click.Path(path_type=Path))
@click.argument("page", type=click.Path(path_type=Path))
def docs(readme: Path, page: Path) -> None:
    """Write the tables of the documentation anew: settings in the README, operations in their page."""
    from gecko_tw.tables import operations_markdown, settings_markdown, with_table

    readme.write_text(with_table(readme.read_text(), "settings", settings_markdown()))
    page.write_text(with_table(page.read_text(), "operations", operations_markdown(_table())))


def _table() -> Any:
    from gecko_tw.tap import operation_table

    try:
        return operation_table()
    except BadSetting as bad:
        raise click.ClickException(str(bad)) from None


@main.command(cls=_Command)
@_settings(_PLACE)
def healthcheck(settings: Settings) -> int:
    """Ask the daemon that listens where these settings say for its health; exit code 0 when it is well."""
    from gecko_tw.health import health
    from gecko_tw.listening import listeners_of

    listener = listeners_of(settings)[0]
    try:
        status = health(listener.text, listener.secure)
    except (OSError, HTTPException, ValueError) as problem:
        click.echo(f"{listener.text}: {problem}", err=True)
        return 1
    click.echo(f"{listener.text}: {status}")
    return int(status != 200)


if __name__ == "__main__":
    main(prog_name="geckos3")

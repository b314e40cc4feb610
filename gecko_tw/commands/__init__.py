"""The ``geckos3`` command: serve in the foreground, look after a data directory, ask a running daemon for its health."""

import gc
import os
import sys
from collections.abc import Callable, Iterable
from http.client import HTTPException
from pathlib import Path
from typing import Any

import click

from gecko_tw import __version__
from gecko_tw.commands.config import add_validation, config
from gecko_tw.commands.identity_groups import groups
from gecko_tw.commands.telling import Group, Told, as_json, json_wanted, tell
from gecko_tw.settings import SETTINGS, BadSetting, Setting, Settings
from gecko_tw.settings.sources import Flags, file_of, plain_arguments, read_settings

_STORE = ("data_dir", "layout", "metadata", "fsync", "attributes", "encryption_key")
_PLACE = ("listen", "tls_cert", "tls_key")
_HELP = ("-h", "-help", "--help")


class _Main(Group):
    """GeckoS3's own command lines work: it has no commands, and flags alone serve."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if any(argument in ("-version", "--version") for argument in args) and args[0].startswith("-"):
            args = ["--version"]
        elif not args or (args[0].startswith("-") and args[0] not in _HELP):
            args = ["serve", *args]
        return super().parse_args(ctx, args)


class _Command(click.Command):
    """A command that takes GeckoS3's style of flags as well: ``-data-dir=x``, ``-fsync``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, plain_arguments(args))


def _settings(
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


@click.group(cls=_Main, context_settings={"help_option_names": list(_HELP), "max_content_width": 120})
@click.version_option(__version__, prog_name="geckos3", message="%(prog)s %(version)s")
def main() -> None:
    """GeckoS3 on Twisted: a self-hosted, S3-compatible object store.

    Without a command it serves: `geckos3 -auth=false` is `geckos3 serve --auth=false`.
    """


@main.command(cls=_Command, name="serve")
@_settings(telling=False)
def serve_command(settings: Settings) -> int:
    """Serve in the foreground until SIGTERM; the same as `twistd -n geckos3`."""
    gc.disable()  # as in a worker: until all is imported
    from gecko_tw import tap

    return tap.serve(settings)


@main.command(cls=_Command)
@_settings(_STORE)
def adopt(settings: Settings) -> int:
    """Take over files that were put into the data directory by others. May run beside a daemon."""

    def work(data: Any) -> str:
        count = data.adopt(_progress)
        return _passed_over(f"{count} files are adopted", {"adopted": count}, data.unreadable)

    return _with_data(settings, work, adopting=True)


@main.command(cls=_Command)
@_settings(_STORE)
def rebuild(settings: Settings) -> int:
    """Make the catalog anew from the files alone. Stop the daemon first."""

    def work(data: Any) -> str:
        text = "the catalog is made anew"
        return _passed_over(text, {"message": text}, data.rebuild())

    return _with_data(settings, work, opened=False)


@main.command(cls=_Command)
@click.option("--repair", is_flag=True, help="Mend what can be mended.")
@click.option("--bucket", default="", metavar="NAME", help="Look at one bucket only.")
@click.option("--bytes", "verifying", is_flag=True, help="Read all bytes and compare them with their checksums.")
@_settings(_STORE, own=("repair", "bucket", "verifying"))
def fsck(settings: Settings, repair: bool, bucket: str, verifying: bool) -> int:
    """Compare files, records and catalog. Changes nothing without --repair; may run beside a daemon.

    Exit code 0: nothing is wrong; 1: something was, or is; 2: it cannot be looked at.
    """
    from gecko_tw.commands.fsck import fsck as look
    from gecko_tw.daemon.data_dir import CannotOpen, check_data_dir

    try:
        check_data_dir(settings.data_dir)
        findings = look(settings, bucket, verifying, repair)
    except CannotOpen as problem:
        refusal = click.ClickException(str(problem))
        refusal.exit_code = 2
        raise refusal from problem
    tell(findings.told())
    return int(bool(findings.found))


@main.command(cls=_Command)
@click.argument("bucket")
@click.option("--bytes", "most_bytes", metavar="SIZE|none", help="How many bytes the bucket may hold, e.g. 10GiB.")
@click.option("--objects", "most_objects", metavar="NUMBER|none", help="How many objects, old versions included.")
@_settings(_STORE, own=("bucket", "most_bytes", "most_objects"))
def quota(settings: Settings, bucket: str, most_bytes: str | None, most_objects: str | None) -> int:
    """Show what a bucket holds, and change its quota. May run beside a daemon."""
    from gecko_tw.commands.quota import change_quota, read_limits
    from gecko_tw.store.refusals import Refusal

    try:
        limits = read_limits(most_bytes, most_objects)
        return _with_data(settings, lambda data: change_quota(data.driver.catalog, bucket, limits))
    except (ValueError, Refusal) as problem:
        raise click.ClickException(str(problem)) from problem


@main.group()
def limits() -> None:
    """Look at rate limits and change them while the daemon runs: all its processes notice within a second."""


_LIMITS = ("rate_limit_address", "rate_limit_address_burst", "rate_limit_key", "rate_limit_key_burst")


@limits.command(cls=_Command)
@_settings((*_STORE, *_LIMITS))
def show(settings: Settings) -> int:
    """Show the limits in force."""
    from gecko_tw.commands.limits import shown

    return _with_data(settings, lambda data: shown(data.driver.documents, settings))


@limits.command(cls=_Command, name="set")
@click.argument("of", type=click.Choice(("address", "key")))
@click.argument("rate")
@click.option("--burst", default="0", metavar="NUMBER", help="Requests at once; 0 for those of two seconds.")
@_settings(_STORE, own=("of", "rate", "burst"))
def set_command(settings: Settings, of: str, rate: str, burst: str) -> int:
    """Override how many requests a second each client address, or each access key, may make; 0 for no limit."""
    from gecko_tw.commands.limits import set_limit

    try:
        return _with_data(settings, lambda data: set_limit(data.driver.documents, of, rate, burst))
    except ValueError as problem:
        raise click.ClickException(str(problem)) from problem


@limits.command(cls=_Command)
@click.argument("of", type=click.Choice(("address", "key")), required=False)
@_settings(_STORE, own=("of",))
def clear(settings: Settings, of: str | None) -> int:
    """Let the settings count again, for one kind of limit or for both."""
    from gecko_tw.commands.limits import clear_limits

    return _with_data(settings, lambda data: clear_limits(data.driver.documents, of))


@main.group()
def policy() -> None:
    """Look at what policies decide."""


@policy.command(cls=_Command, name="explain")
@click.argument("who", metavar="WHO")
@click.argument("action", metavar="ACTION")
@click.argument("resource", metavar="RESOURCE")
@click.argument("values", metavar="[KEY=VALUE]...", nargs=-1)
@click.option(
    "--policy", "policies", type=click.Path(path_type=Path), multiple=True, help="A policy that the user has, too."
)
@_settings(
    (*_STORE, "access_key", "secret_key", "region", "acl"), own=("who", "action", "resource", "values", "policies")
)
def explain_command(settings: Settings, **question: Any) -> int:
    """Tell whether WHO (an access key, `anonymous`, ACCOUNT or ACCOUNT/USER) may do ACTION with RESOURCE, and why.

    KEY=VALUE are condition keys of the request, e.g. aws:SourceIp=192.0.2.1.
    """
    from gecko_tw.commands.explaining import Question, explained
    from gecko_tw.daemon import deployment

    try:
        asked = Question(**question)
        return _with_data(settings, lambda data: explained(*deployment.known_in(data, settings), asked, settings))
    except ValueError as problem:
        raise click.ClickException(str(problem)) from problem


class _Incomplete(Told):
    """What a command says that has not done everything."""


def _passed_over(text: str, values: dict[str, Any], unreadable: dict[str, str]) -> Told:
    """Adds what could not be read."""
    if not unreadable:
        return Told(text, values)
    lines = [f"  {place}: {why}" for place, why in sorted(unreadable.items())]
    more = f"; {len(lines)} places could not be read and are passed over:"
    return _Incomplete("\n".join([text + more, *lines]), {**values, "unreadable": unreadable})


def _with_data(settings: Settings, work: Callable[[Any], str], adopting: bool = False, opened: bool = True) -> int:
    from gecko_tw.daemon.data_dir import CannotOpen, DataDir, check_data_dir

    data = DataDir(settings)
    try:
        check_data_dir(settings.data_dir, adopting)
        if opened:
            data.open()
        told = work(data)
        tell(told)
    except (CannotOpen, BadSetting) as problem:
        raise click.ClickException(str(problem)) from problem
    finally:
        data.close()
    return int(isinstance(told, _Incomplete))


def _progress(count: int) -> None:
    click.echo(f"{count} files are looked at", err=True)


@main.command()
@as_json
def operations() -> None:
    """Print every operation this deployment answers."""
    from gecko_tw.commands.tables import operations_told

    tell(operations_told(_table()))


@main.command(hidden=True)
@click.argument("readme", type=click.Path(path_type=Path))
@click.argument("page", type=click.Path(path_type=Path))
def docs(readme: Path, page: Path) -> None:
    """Write the tables of the documentation anew: settings in the README, operations in their page."""
    from gecko_tw.commands.tables import operations_markdown, settings_markdown, with_table

    readme.write_text(with_table(readme.read_text(), "settings", settings_markdown()))
    page.write_text(with_table(page.read_text(), "operations", operations_markdown(_table())))


def _table() -> Any:
    from gecko_tw.daemon.deployment import check_dropins, operation_table

    try:
        check_dropins()
        return operation_table()
    except BadSetting as bad:
        raise click.ClickException(str(bad)) from None


@main.command(cls=_Command)
@_settings(_PLACE)
def healthcheck(settings: Settings) -> int:
    """Ask the daemon that listens where these settings say for its health; exit code 0 when it is well."""
    from gecko_tw.commands.health import health
    from gecko_tw.daemon.listening import listeners_of

    listener = listeners_of(settings)[0]
    try:
        status = health(listener.text, listener.secure)
    except (OSError, HTTPException, ValueError) as problem:
        if json_wanted():
            tell(Told("", {"place": listener.text, "error": str(problem)}))
        else:
            click.echo(f"{listener.text}: {problem}", err=True)
        return 1
    tell(Told(f"{listener.text}: {status}", {"place": listener.text, "status": status}))
    return int(status != 200)


def _over_data(*own: str) -> Callable[[Callable[..., str]], Any]:
    """Makes a command of a function that is called with an open data directory and its own parameters, and tells what it did."""

    def decorate(function: Callable[..., str]) -> Any:
        def command(settings: Settings, **given: Any) -> int:
            from gecko_tw.callers.accounts.sealing import WrongKey
            from gecko_tw.store.refusals import Refusal

            try:
                return _with_data(settings, lambda data: function(data, **given))
            except (ValueError, OSError, Refusal, WrongKey) as problem:
                raise click.ClickException(str(problem)) from problem

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        return _settings(_STORE, own=own)(command)

    return decorate


def _over_registry(*own: str) -> Callable[[Callable[..., str]], Any]:
    """The same with the Registry of a data directory."""

    def decorate(function: Callable[..., str]) -> Any:
        def command(data: Any, **given: Any) -> str:
            return function(data.registry, **given)

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        return _over_data(*own)(command)

    return decorate


def _check_declarations(declared: Any, settings: Settings) -> str:
    from gecko_tw.bootstrap.validating import check_declarations

    return check_declarations(declared, settings)


add_validation(_check_declarations)
main.add_command(config)
for _command in groups(_over_registry, _over_data):
    main.add_command(_command)

"""Commands that are another face of the admin API: they ask its verbs in a data directory, or a running daemon with ``--server``."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import click

from gecko_tw.commands.options import STORE, with_settings
from gecko_tw.commands.over_data import with_data
from gecko_tw.settings import Settings

NOTHING: Mapping[str, Any] = {}


class Ask(Protocol):
    """Asks a row of the admin API by its name and returns the values that it answers."""

    # Any: values of JSON.
    def __call__(self, name: str, path: Mapping[str, str] = NOTHING, body: Any = None, **query: Any) -> Any: ...


server_option = click.option(
    "--server",
    envvar="GECKOS3_SERVER",
    metavar="URL",
    help="Ask the daemon whose admin API is there, e.g. http://127.0.0.1:9001, instead of a data directory.  [GECKOS3_SERVER]",
)


def answered(settings: Settings, server: str | None, work: Callable[[Ask], Any]) -> int:
    """Calls ``work`` with an Ask and tells what it returns; returns the exit code.

    :param server: the URL of a daemon, or None for the data directory of the settings.
    """
    from gecko_tw.callers.accounts.sealing import WrongKey
    from gecko_tw.commands.telling import tell
    from gecko_tw.store.refusals import Refusal

    try:
        if server is None:
            return with_data(settings, lambda data: work(_local(data, settings)))
        from gecko_tw.commands.remote import Remote

        tell(work(Remote(server, settings)))
        return 0
    except (ValueError, OSError, Refusal, WrongKey) as problem:
        raise click.ClickException(str(problem)) from problem


def _local(data: Any, settings: Settings) -> Ask:
    """Asks the verbs themselves."""
    from gecko_tw.admin.rows import Asked
    from gecko_tw.admin.table import ROWS
    from gecko_tw.daemon.administering import ground_of

    ground = ground_of(data, settings)

    def ask(name: str, path: Mapping[str, str] = NOTHING, body: Any = None, **query: Any) -> Any:
        given = {key: value for key, value in query.items() if value is not None}
        return ROWS.named(name).verb(Asked(ground=ground, path=path, query=given, body=body))

    return ask


def asking(*own: str, names: Iterable[str] = ()) -> Callable[[Callable[..., Any]], Any]:
    """Makes a command of a function that is called with an Ask and its own parameters, and returns what to tell.

    :param names: further settings that the command has flags for.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        def command(settings: Settings, server: str | None, **given: Any) -> int:
            return answered(settings, server, lambda ask: function(ask, **given))

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        flags = (*STORE, "access_key", "secret_key", "region", *names)
        return server_option(with_settings(flags, own=(*own, "server"))(command))

    return decorate

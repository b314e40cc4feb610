"""Commands that work on an open data directory."""

from collections.abc import Callable
from typing import Any

import click

from gecko_tw.commands.options import STORE, with_settings
from gecko_tw.commands.telling import Told, tell
from gecko_tw.settings import BadSetting, Settings


class _Incomplete(Told):
    """What a command says that has not done everything."""


def passed_over(text: str, values: dict[str, Any], unreadable: dict[str, str]) -> Told:
    """Adds what could not be read."""
    if not unreadable:
        return Told(text, values)
    lines = [f"  {place}: {why}" for place, why in sorted(unreadable.items())]
    more = f"; {len(lines)} places could not be read and are passed over:"
    return _Incomplete("\n".join([text + more, *lines]), {**values, "unreadable": unreadable})


def with_data(settings: Settings, work: Callable[[Any], str], adopting: bool = False, opened: bool = True) -> int:
    """Runs ``work`` on a data directory and tells what it returns; returns the exit code.

    :param adopting: whether it may be a directory that was never served.
    :param opened: whether it is opened before.
    """
    from gecko_tw.daemon.data_dir import CannotOpen, DataDir, check_data_dir

    data = None
    try:
        data = DataDir(settings)
        if not data.is_shared:
            check_data_dir(settings.data_dir, adopting)
        if opened:
            data.open()
        told = work(data)
        tell(told)
    except (CannotOpen, BadSetting) as problem:
        raise click.ClickException(str(problem)) from problem
    finally:
        if data is not None:
            data.close()
    return int(isinstance(told, _Incomplete))


def over_data(*own: str) -> Callable[[Callable[..., str]], Any]:
    """Makes a command of a function that is called with an open data directory and its own parameters, and tells what it did."""

    def decorate(function: Callable[..., str]) -> Any:
        def command(settings: Settings, **given: Any) -> int:
            from gecko_tw.callers.accounts.sealing import WrongKey
            from gecko_tw.store.backup.targets import BackupError
            from gecko_tw.store.refusals import Refusal

            try:
                return with_data(settings, lambda data: function(data, **given))
            except (ValueError, OSError, Refusal, WrongKey, BackupError) as problem:
                raise click.ClickException(str(problem)) from problem

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        return with_settings(STORE, own=own)(command)

    return decorate

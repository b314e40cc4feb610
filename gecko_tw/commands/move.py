"""``geckos3 move``: from a data directory to a deployment of many nodes, and back."""

import time
from typing import Any

import click

from gecko_tw.commands.options import STORE, Command, with_settings
from gecko_tw.commands.over_data import passed_over
from gecko_tw.commands.telling import tell
from gecko_tw.settings import Settings
from gecko_tw.store.drivers.layouts import LAYOUTS

_TOLD_EVERY = 10.0
"""Seconds between two lines about how far it is."""


@click.command(cls=Command)
@click.option("--to", "direction", flag_value="to", help="From --data-dir to the deployment of --catalog and --blobs.")
@click.option("--from", "direction", flag_value="from", help="From that deployment into --data-dir, which must be new.")
@click.option(
    "--directory-layout", type=click.Choice(LAYOUTS), default=LAYOUTS[0], help="Of a data directory that is made."
)
@with_settings([name for name in STORE if name != "layout"], own=("direction", "directory_layout"))
def move(settings: Settings, direction: str | None, directory_layout: str) -> int:
    """Take everything from a data directory to a deployment whose records are in a database, or back.

    Stop every daemon of both first. The source stays as it is. Every byte is read back and compared; what is damaged is named and not
    moved, and the exit code is 1. Repeat the command when it was cut short: it goes on where it was.
    """
    from gecko_tw.daemon.data_dir import CannotOpen
    from gecko_tw.daemon.moving import CannotMove, Moved
    from gecko_tw.daemon.moving import move as do_move
    from gecko_tw.settings import BadSetting
    from gecko_tw.store.refusals import Refusal

    if direction is None:
        raise click.UsageError("give --to or --from")
    last = [time.monotonic()]

    def report(moved: Moved) -> None:
        if time.monotonic() - last[0] >= _TOLD_EVERY:
            last[0] = time.monotonic()
            click.echo(_text(moved), err=True)

    try:
        moved = do_move(settings, direction == "to", directory_layout, report)
    except (CannotOpen, CannotMove, BadSetting, OSError, Refusal) as problem:
        raise click.ClickException(str(problem)) from problem
    values = {"buckets": moved.buckets, "versions": moved.versions, "parts": moved.parts, "bytes": moved.bytes}
    tell(passed_over(_text(moved), values, moved.passed_over))
    return int(bool(moved.passed_over))


def _text(moved: Any) -> str:
    return (
        f"{moved.versions} versions and {moved.parts} parts of unfinished uploads, {moved.bytes} bytes, of {moved.buckets} whole buckets"
        " are moved"
    )

"""``geckos3 adopt`` and ``geckos3 rebuild``: the catalog made to agree with the files."""

from typing import Any

import click

from gecko_tw.commands.options import STORE, Command, with_settings
from gecko_tw.commands.over_data import passed_over, with_data
from gecko_tw.settings import Settings


@click.command(cls=Command)
@with_settings(STORE)
def adopt(settings: Settings) -> int:
    """Take over files that were put into the data directory by others. May run beside a daemon."""

    def work(data: Any) -> str:
        count = data.adopt(_progress)
        return passed_over(f"{count} files are adopted", {"adopted": count}, data.unreadable)

    return with_data(settings, work, adopting=True)


@click.command(cls=Command)
@with_settings(STORE)
def rebuild(settings: Settings) -> int:
    """Make the catalog anew from the files alone. Stop the daemon first."""

    def work(data: Any) -> str:
        text = "the catalog is made anew"
        return passed_over(text, {"message": text}, data.rebuild())

    return with_data(settings, work, opened=False)


def _progress(count: int) -> None:
    click.echo(f"{count} files are looked at", err=True)

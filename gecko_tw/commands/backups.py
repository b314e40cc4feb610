"""``geckos3 backup`` and ``geckos3 restore``."""

from collections.abc import Callable
from typing import Any

import click

from gecko_tw.commands.options import ENDPOINT, STORE, Command, with_settings
from gecko_tw.commands.telling import not_empty
from gecko_tw.settings import Settings

_PASSPHRASE = click.option(
    "--passphrase-file",
    default=None,
    metavar="PATH",
    help="Encrypts: a file whose first line is the passphrase.  [GECKOS3_BACKUP_PASSPHRASE]",
)
_PLACE = ("endpoint_url", "passphrase_file")


def _on_place(argument: str) -> Callable[[Any], Any]:
    """Adds the argument and the options that say where backups are."""

    def decorate(function: Any) -> Any:
        return click.argument(argument, callback=not_empty)(ENDPOINT(_PASSPHRASE(function)))

    return decorate


@click.command(cls=Command)
@_on_place("target")
@click.option("--with-key", is_flag=True, help="The encryption key's file comes along: see docs/backup.md.")
@click.option(
    "--keep", type=click.IntRange(1), default=None, metavar="N", help="Remove all but the newest N afterwards."
)
@click.option("--list", "listing", is_flag=True, help="List the backups of TARGET instead.")
@click.option("--verify", is_flag=True, help="Read all of the newest backup of TARGET and compare it instead.")
@with_settings(STORE, own=("target", *_PLACE, "with_key", "keep", "listing", "verify"))
def backup(settings: Settings, target: str, listing: bool, verify: bool, **given: Any) -> int:
    """Back everything up to TARGET, a directory or s3://bucket/prefix, as it is at this moment. Beside a daemon or without it.

    What is in TARGET already is not copied again.

    Exit code 0: all is in it, and well; 1: something is not, and named; 2: it could not be done.
    """
    from gecko_tw.commands.backup import Place, ToTake, listed, taken, telling, verified

    place = Place(target, given["endpoint_url"], given["passphrase_file"])
    if listing:
        return telling(lambda: listed(place))
    if verify:
        return telling(lambda: verified(place))
    return telling(lambda: taken(settings, ToTake(place, given["with_key"], given["keep"] or 0)))


@click.command(cls=Command)
@_on_place("source")
@click.option(
    "--bucket", default="", metavar="NAME", callback=not_empty, help="Only this bucket, beside what is there."
)
@click.option("--prefix", default="", metavar="TEXT", help="Of that bucket, only keys that begin so.")
@click.option("--as", "renamed", default="", metavar="NAME", callback=not_empty, help="The name that the bucket gets.")
@click.option("--at", default=None, metavar="TIME", help="The newest backup up to then: 2026-01-31T12:00:00Z.")
@with_settings(STORE, own=("source", *_PLACE, "bucket", "prefix", "renamed", "at"))
def restore(
    settings: Settings, source: str, bucket: str, prefix: str, renamed: str, at: str | None, **given: Any
) -> int:
    """Bring the newest backup of SOURCE back into an empty data directory, or one bucket of it into any. All bytes are compared.

    Exit code 0: all of it is restored; 1: something is not, and named; 2: it could not be done.
    """
    from gecko_tw.commands.backup import Place, ToRestore, restored, telling
    from gecko_tw.store.backup.restoring import Wanted

    if (prefix or renamed) and not bucket:
        raise click.ClickException("--prefix and --as need --bucket")
    until = _until(at)
    wanted = Wanted(bucket, prefix.encode("utf-8", "surrogateescape"), renamed)
    place = Place(source, given["endpoint_url"], given["passphrase_file"])
    return telling(lambda: restored(settings, ToRestore(place, wanted, until)))


@click.group()
def snapshots() -> None:
    """Snapshots of the catalog that the daemon takes by itself."""


@snapshots.command("list", cls=Command)
@with_settings(STORE)
def list_snapshots(settings: Settings) -> int:
    """List them."""
    from gecko_tw.commands.backup import telling
    from gecko_tw.commands.snapshots import listed

    return telling(lambda: listed(settings))


@snapshots.command("restore", cls=Command)
@click.option("--at", default=None, metavar="TIME", help="The newest snapshot up to then: 2026-01-31T12:00:00Z.")
@with_settings(STORE, own=("at",))
def restore_snapshot(settings: Settings, at: str | None) -> int:
    """Put one in the place of the catalog of a data directory with the layout pool. Stop the daemon first.

    Exit code 0: all bytes that it tells of are there; 1: some are not, and named; 2: it could not be done.
    """
    from gecko_tw.commands.backup import telling
    from gecko_tw.commands.snapshots import restored

    until = _until(at)
    return telling(lambda: restored(settings, until))


def _until(at: str | None) -> int | None:
    """Raises ClickException."""
    from gecko_tw.commands.backup import moment_of

    try:
        return None if at is None else moment_of(at)
    except ValueError:
        raise click.ClickException(f"--at: {at!r} is no time: give one like 2026-01-31T12:00:00Z") from None

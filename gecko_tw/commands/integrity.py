"""``geckos3 scrub`` and ``geckos3 quarantine``: whether stored bytes are still those that were stored, and what becomes of others."""

from collections.abc import Callable
from typing import Any

import click

from gecko_tw.commands.options import ENDPOINT, STORE, Command, with_settings
from gecko_tw.commands.over_data import over_data
from gecko_tw.settings import Settings

_VERSION = click.option("--version-id", default=None, metavar="ID", help="Of the version; without it the current one.")
_PACE = ("scrub_sample_rate", "scrub_bytes_per_second", "scrub_max_per_run")


@click.command(cls=Command)
@click.option("--bucket", default="", metavar="NAME", help="Read one bucket only.")
@click.option("--full", is_flag=True, help="Read every version, whatever the settings say of samples.")
@with_settings((*STORE, *_PACE), own=("bucket", "full"))
def scrub(settings: Settings, bucket: str, full: bool) -> int:
    """Read stored bytes again and compare them with their checksums. Beside a daemon or without it.

    What is damaged comes into quarantine. What was cut short is gone on with.

    Exit code 0: nothing is damaged; 1: something is; 2: it cannot be looked at.
    """
    from gecko_tw.commands.scrub import scrubbed

    return scrubbed(settings, bucket, full)


@click.group()
def quarantine() -> None:
    """Versions whose bytes are damaged, which nobody is served: look at them, and let them out. Beside a daemon or without it."""


@quarantine.command("list", cls=Command)
@click.option("--bucket", default="", metavar="NAME", help="List one bucket only.")
@over_data("bucket")
def list_command(data: Any, bucket: str) -> str:
    """List them."""
    from gecko_tw.commands.scrub import listed, quarantine_in

    return listed(quarantine_in(data).held(bucket))


def _on_one(name: str) -> Callable[[Callable[..., str]], Any]:
    """A command about the versions of one key."""

    def decorate(function: Callable[..., str]) -> Any:
        command = click.argument("bucket")(click.argument("key")(_VERSION(function)))
        return quarantine.command(name, cls=Command)(command)

    return decorate


@_on_one("revalidate")
@over_data("bucket", "key", "version_id")
def revalidate(data: Any, bucket: str, key: str, version_id: str | None) -> str:
    """Read one again, and let it out if it is whole, as after its disk was mended."""
    from gecko_tw.commands.scrub import revalidated

    return revalidated(data, bucket, key, version_id)


@_on_one("restore")
@click.option(
    "--from",
    "source",
    required=True,
    metavar="FILE|VERSION|s3://BUCKET/KEY",
    help="A file, a version of the same key, or an object of any S3.",
)
@ENDPOINT
@over_data("bucket", "key", "version_id", "source", "endpoint_url")
def restore(data: Any, bucket: str, key: str, version_id: str | None, source: str, endpoint_url: str) -> str:
    """Give one its bytes back, which must be exactly its own; all else of it stays."""
    from gecko_tw.commands.scrub import restored

    return restored(data, bucket, key, version_id, source, endpoint_url)


@_on_one("purge")
@click.option("--bypass-governance", is_flag=True, help="Pass over a retention in governance mode.")
@over_data("bucket", "key", "version_id", "bypass_governance")
def purge(data: Any, bucket: str, key: str, version_id: str | None, bypass_governance: bool) -> str:
    """Remove one for good, unless a lock or a retention holds it."""
    from gecko_tw.commands.scrub import purged

    return purged(data, bucket, key, version_id, bypass=bypass_governance)

"""``geckos3 quota`` and ``geckos3 limits``: how much a bucket may hold, how often clients may ask."""

import click

from gecko_tw.commands.options import STORE, Command, with_settings
from gecko_tw.commands.over_data import with_data
from gecko_tw.settings import Settings


@click.command(cls=Command)
@click.argument("bucket")
@click.option("--bytes", "most_bytes", metavar="SIZE|none", help="How many bytes the bucket may hold, e.g. 10GiB.")
@click.option("--objects", "most_objects", metavar="NUMBER|none", help="How many objects, old versions included.")
@with_settings(STORE, own=("bucket", "most_bytes", "most_objects"))
def quota(settings: Settings, bucket: str, most_bytes: str | None, most_objects: str | None) -> int:
    """Show what a bucket holds, and change its quota. May run beside a daemon."""
    from gecko_tw.commands.quota import change_quota, read_limits
    from gecko_tw.store.refusals import Refusal

    try:
        limits = read_limits(most_bytes, most_objects)
        return with_data(settings, lambda data: change_quota(data.driver.catalog, bucket, limits))
    except (ValueError, Refusal) as problem:
        raise click.ClickException(str(problem)) from problem


@click.group()
def limits() -> None:
    """Look at rate limits and change them while the daemon runs: all its processes notice within a second."""


_LIMITS = ("rate_limit_address", "rate_limit_address_burst", "rate_limit_key", "rate_limit_key_burst")


@limits.command(cls=Command)
@with_settings((*STORE, *_LIMITS))
def show(settings: Settings) -> int:
    """Show the limits in force."""
    from gecko_tw.commands.limits import shown

    return with_data(settings, lambda data: shown(data.driver.documents, settings))


@limits.command(cls=Command, name="set")
@click.argument("of", type=click.Choice(("address", "key")))
@click.argument("rate")
@click.option("--burst", default="0", metavar="NUMBER", help="Requests at once; 0 for those of two seconds.")
@with_settings(STORE, own=("of", "rate", "burst"))
def set_command(settings: Settings, of: str, rate: str, burst: str) -> int:
    """Override how many requests a second each client address, or each access key, may make; 0 for no limit."""
    from gecko_tw.commands.limits import set_limit

    try:
        return with_data(settings, lambda data: set_limit(data.driver.documents, of, rate, burst))
    except ValueError as problem:
        raise click.ClickException(str(problem)) from problem


@limits.command(cls=Command)
@click.argument("of", type=click.Choice(("address", "key")), required=False)
@with_settings(STORE, own=("of",))
def clear(settings: Settings, of: str | None) -> int:
    """Let the settings count again, for one kind of limit or for both."""
    from gecko_tw.commands.limits import clear_limits

    return with_data(settings, lambda data: clear_limits(data.driver.documents, of))

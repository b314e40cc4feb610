"""``geckos3 quota`` and ``geckos3 limits``: how much a bucket may hold, how often clients may ask."""

from typing import Any

import click

from gecko_tw.commands.asking import Ask, asking
from gecko_tw.commands.options import Command
from gecko_tw.commands.telling import Told

NONE = "none"
"""What is written for: not limited."""

OF = ("address", "key")
"""What rate limits are of."""


@click.command(cls=Command)
@click.argument("bucket")
@click.option("--bytes", "most_bytes", metavar="SIZE|none", help="How many bytes the bucket may hold, e.g. 10GiB.")
@click.option("--objects", "most_objects", metavar="NUMBER|none", help="How many objects, old versions included.")
@asking("bucket", "most_bytes", "most_objects")
def quota(ask: Ask, bucket: str, most_bytes: str | None, most_objects: str | None) -> Told:
    """Show what a bucket holds, and change its quota. May run beside a daemon."""
    from gecko_tw.settings.quotas import read_quota

    given = {"bytes": most_bytes, "objects": most_objects}
    limits = {name: None if value == NONE else value for name, value in given.items() if value is not None}
    read_quota(limits)
    path = {"bucket": bucket}
    values = ask("SetBucketQuota", path, limits) if limits else ask("GetBucketQuota", path)
    told = ", ".join(f"{_of(values, name)} {name}" for name in given)
    return Told(f"{bucket}: {told}", values)


def _of(values: Any, name: str) -> str:
    used, limit = (values["used"] or {}).get(name, "unknown"), values["quota"][name]
    return f"{used} of {'unlimited' if limit is None else limit}"


@click.group()
def limits() -> None:
    """Look at rate limits and change them while the daemon runs: all its processes notice within a second."""


_LIMITS = ("rate_limit_address", "rate_limit_address_burst", "rate_limit_key", "rate_limit_key_burst")


@limits.command(cls=Command)
@asking(names=_LIMITS)
def show(ask: Ask) -> Told:
    """Show the limits in force."""
    values = ask("GetLimits")
    return Told("\n".join(f"{name}: {_line(values[name])}" for name in OF), values)


@limits.command(cls=Command, name="set")
@click.argument("of", type=click.Choice(OF))
@click.argument("rate")
@click.option("--burst", default="0", metavar="NUMBER", help="Requests at once; 0 for those of two seconds.")
@asking("of", "rate", "burst")
def set_command(ask: Ask, of: str, rate: str, burst: str) -> Told:
    """Override how many requests a second each client address, or each access key, may make; 0 for no limit."""
    pair = {"rate": _number("RATE", rate), "burst": _number("--burst", burst)}
    values = ask("SetLimits", body={of: pair})
    return Told(f"{of}: {_limit(values[of]['limit'])}", values)


@limits.command(cls=Command)
@click.argument("of", type=click.Choice(OF), required=False)
@asking("of")
def clear(ask: Ask, of: str | None) -> str:
    """Let the settings count again, for one kind of limit or for both."""
    ask("ClearLimits", of=of)
    return "the settings are in force"


def _number(what: str, text: str) -> float:
    from gecko_tw.settings.kinds import RATE

    try:
        return float(RATE.read(text))
    except ValueError:
        raise ValueError(f"{what}: {text!r} is not allowed; allowed is {RATE.allowed}") from None


def _line(values: Any) -> str:
    """A limit as JSON has it, for people."""
    reconciled = _limit(values["settings"])
    return f"{_limit(values['limit'])} (the settings say: {reconciled})" if values["overridden"] else reconciled


def _limit(value: Any) -> str:
    return "no limit" if value is None else f"{value['rate']:g} a second, {value['burst']:g} at once"

"""Numbers, moments and addresses as the values of conditions spell them. Nothing that cannot be read raises: it is None.

Sources: IAM User Guide, "IAM JSON policy elements: Condition operators"; W3C note "Date and Time Formats".
"""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_NUMERIC = frozenset("0123456789.+-")
_LONGEST = 64
_BOOLEANS = {"true": True, "false": False}

Address = IPv4Address | IPv6Address


@lru_cache(maxsize=256)
def number_of(text: str) -> Decimal | None:
    """A whole number or a decimal fraction, exactly."""
    if len(text) > _LONGEST or not _NUMERIC.issuperset(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


@lru_cache(maxsize=256)
def moment_of(text: str) -> Decimal | None:
    """Seconds since 1970 of a date: ISO 8601 from the year to fractions of a second, or seconds since 1970.

    Without an offset it is in UTC. Four digits are a year.
    """
    if len(text) == 4 and text.isascii() and text.isdecimal():
        text += "-01"
    if len(text) == 7 and text[4] == "-":
        text += "-01"
    number = number_of(text)
    if number is not None:
        return number
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return Decimal(moment.timestamp())
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=4096)
def address_of(text: str) -> tuple[int, int] | None:
    """The version of an address and its bits; one of version 4 that is written as one of version 6 is one of version 4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return (4, int(mapped)) if mapped is not None else (address.version, int(address))


def network_of(text: str) -> IPv4Network | IPv6Network | None:
    """A network by its prefix, or a single address as one. Bits behind the prefix do not matter."""
    _, slash, prefix = text.partition("/")
    if slash and not (prefix.isascii() and prefix.isdecimal()):
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def boolean_of(text: str) -> bool | None:
    """``true`` or ``false``, in any case."""
    return _BOOLEANS.get(text.lower())

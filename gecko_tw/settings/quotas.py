"""How a quota is written, in a configuration file and in commands: read. Pure."""

from collections.abc import Mapping
from typing import Any

from gecko_tw.settings.kinds import SIZE


# Any: a value of JSON.
def read_quota(value: Any) -> dict[str, int]:
    """A quota as somebody wrote it, as the setting has it; nothing limited is ``{}``.

    :param value: a mapping with ``bytes`` (a number, or a text such as ``10 GiB``) and ``objects`` (a number), each of which may be
        absent or None; or None.
    :raises ValueError: it is something else; the message says what is allowed.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not value.keys() <= {"bytes", "objects"}:
        raise ValueError("a quota has the keys bytes and objects")
    quota = {"bytes": _bytes(value.get("bytes")), "objects": _whole(value.get("objects"))}
    return {name: limit for name, limit in quota.items() if limit is not None}


def _bytes(value: Any) -> int | None:
    try:
        return SIZE.read(value) if isinstance(value, str) else _whole(value)
    except ValueError:
        raise ValueError(f"bytes: allowed is {SIZE.allowed}") from None


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 18:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("objects: allowed is a whole number")
    return value

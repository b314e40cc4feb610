"""JSON that comes from clients, read so that no two programs could read it differently."""

import json
from typing import Any

from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

LONGEST = 1024 * 1024
"""Bytes of a document."""

DEEPEST = 64
"""How deep values may lie in each other."""


def read_json(document: bytes) -> Json:
    """The value. Raises InvalidArgument when it is none, has a member twice, or is too deep."""
    try:
        value = json.loads(document.decode(), object_pairs_hook=_once, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as problem:
        why = "it is too deep" if isinstance(problem, RecursionError) else "it is not JSON in UTF-8"
        raise InvalidArgument(f"body: {why}", Field="body") from None
    if _is_deep(value, DEEPEST):
        raise InvalidArgument("body: it is too deep", Field="body")
    return value


def _is_deep(value: Json, left: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return left == 0 or any(_is_deep(one, left - 1) for one in inner)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A member that is there twice would be read differently by different programs."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is there twice")
    return found


def _refuse(text: str) -> Json:
    raise ValueError(f"{text} is not JSON")

"""Is a recorded run of concurrent reads and conditional writes of one key one that a single copy could have shown?

The search is that of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with the memory of Lowe: some order of the
operations must exist in which each takes effect between its call and its answer and answers what it answered.
"""

from collections.abc import Callable, Sequence
from math import inf

from attrs import frozen

ABSENT = ""
"""The state of a key without an object; otherwise a key's state is its object's ETag."""


@frozen(kw_only=True)
class Deed:
    """One operation on one key, as its client saw it.

    :ivar kind: ``get``, ``put`` (PutObject and CompleteMultipartUpload), or ``delete``.
    :ivar called: when it was sent; ``answered`` is when its answer came, ``inf`` when none did.
    :ivar writes: the ETag that a put gives the key.
    :ivar if_match: a condition: an ETag, ``*``, or None.
    :ivar if_none_match: whether the key had to be absent.
    :ivar status: the answer's; None when none came: it may have taken effect at any time since, or never.
    :ivar read: what a get saw.
    """

    kind: str
    called: float
    answered: float = inf
    writes: str = ABSENT
    if_match: str | None = None
    if_none_match: bool = False
    status: int | None = None
    read: str = ABSENT


def effect(deed: Deed, state: str) -> str | None:
    """The state after a deed that takes effect now, or None when it could not have answered as it did."""
    if deed.kind == "get":
        return (
            state
            if deed.status is None or (deed.read == state and deed.status == (404 if state == ABSENT else 200))
            else None
        )
    expected, after = _write(deed, state)
    if deed.status is None:
        return after
    return after if deed.status == expected else None


def _write(deed: Deed, state: str) -> tuple[int, str]:
    """The status that a write must answer in a state, and the state after it."""
    if deed.if_none_match and state != ABSENT:
        return 412, state
    if deed.if_match is not None:
        if state == ABSENT:
            return 404, state
        if deed.if_match not in ("*", state):
            return 412, state
    return (200, deed.writes) if deed.kind == "put" else (204, ABSENT)


def explains(deeds: Sequence[Deed], first: str = ABSENT) -> bool:
    """Whether some order of the deeds explains all answers.

    :param first: the key's state before all of them.
    """
    ordered = sorted(deeds, key=lambda deed: deed.called)
    whole = (1 << len(ordered)) - 1
    unanswered = sum(1 << place for place, deed in enumerate(ordered) if deed.status is None)
    seen: set[tuple[int, str]] = set()
    waiting = [(0, first)]
    while waiting:
        done, state = waiting.pop()
        if (done | unanswered) == whole:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        waiting += _next(ordered, done, state, effect)
    return False


def _next(
    ordered: Sequence[Deed], done: int, state: str, act: Callable[[Deed, str], str | None]
) -> list[tuple[int, str]]:
    """Every deed that may take effect next: no other one was answered before it was called."""
    found: list[tuple[int, str]] = []
    horizon = inf
    for place, deed in enumerate(ordered):
        if done >> place & 1:
            continue
        if deed.called > horizon:
            break
        horizon = min(horizon, deed.answered)
        after = act(deed, state)
        if after is not None:
            found.append((done | 1 << place, after))
    return found

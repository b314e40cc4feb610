"""Asking the store where blocking is allowed: what is not settled is settled first."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from gecko_tw.store.drivers.interfaces import Stale

P = ParamSpec("P")
T = TypeVar("T")

_TRIES = 100
"""A file that somebody rewrites faster than we can read it must not hold a thread for ever."""


def reconciled(ask: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """``ask(*arguments)``, settling records until it answers.

    :raises Stale: the file behind the record never came to rest.
    """
    for _ in range(_TRIES):
        try:
            return ask(*arguments, **named)
        except Stale as stale:
            stale.reconcile()
    return ask(*arguments, **named)

"""Rate limits that are changed while the daemon runs: its processes notice within a second."""

from collections.abc import Callable, Mapping
from typing import Any

from gecko_tw.callers.budgets.token_buckets import budget_of
from gecko_tw.resources.gates.rate_limits import KIND, OVERRIDE
from gecko_tw.store.drivers.interfaces import IDocuments
from gecko_tw.store.records import Json

OF = ("address", "key")
"""What is limited: each client address, each access key."""

Pairs = Mapping[str, tuple[float, float]]
"""Rate a second, and how many at once, of each of OF."""

Values = dict[str, dict[str, Json]]
"""Of each of OF: ``limit`` in force and that of the ``settings``, each ``{"rate", "burst"}`` or None for no limit; whether it is
``overridden``."""


def limits_in_force(documents: IDocuments, settings: Pairs) -> Values:
    """What is in force, and what the settings say."""
    return _values(documents.get(KIND, OVERRIDE) or {}, settings)


def _values(override: Mapping[str, Any], settings: Pairs) -> Values:
    return {
        name: {
            "limit": _value(*override.get(name, settings[name])),
            "settings": _value(*settings[name]),
            "overridden": name in override,
        }
        for name in OF
    }


def _value(rate: float, burst: float) -> dict[str, float] | None:
    budget = budget_of(rate, burst)
    return None if budget is None else {"rate": budget.rate, "burst": budget.burst}


def nothing(values: object) -> None:
    """Refuses nothing."""


def override_limits(
    documents: IDocuments,
    settings: Pairs,
    wanted: Mapping[str, tuple[float, float] | None],
    seen: Callable[[Values], object] = nothing,
) -> Values:
    """Replaces some limits, or lets the settings count again; returns what is in force from now on.

    :param wanted: by name; None for the settings, a rate of 0 for no limit.
    :param seen: called with what was in force, within the step; may refuse.
    """

    def rule(found: dict[str, Any] | None) -> dict[str, Any] | None:
        seen(_values(found or {}, settings))
        changed = {**(found or {}), **{name: None if pair is None else list(pair) for name, pair in wanted.items()}}
        return {name: pair for name, pair in changed.items() if pair is not None} or None

    return _values(documents.change(KIND, OVERRIDE, rule) or {}, settings)

"""``geckos3 limits``: rate limits that are changed while the daemon runs. Its processes notice within a second."""

from typing import Any

from gecko_tw.callers.budgets.token_buckets import Budget, budget_of
from gecko_tw.commands.telling import Told
from gecko_tw.resources.gates.rate_limits import KIND, OVERRIDE
from gecko_tw.settings import Settings
from gecko_tw.settings.kinds import RATE
from gecko_tw.store.drivers.interfaces import IDocuments

OF = ("address", "key")


def shown(documents: IDocuments, settings: Settings) -> str:
    """A line for each limit: what is in force, and since when it is not what the settings say."""
    override = documents.get(KIND, OVERRIDE) or {}
    lines, values = [], {}
    for name in OF:
        rate, burst = _of_settings(settings, name)
        settled = _told(budget_of(rate, burst))
        values[name] = {"limit": _value(*override.get(name, (rate, burst))), "settings": _value(rate, burst)}
        told = f"{_told(budget_of(*override[name]))} (the settings say: {settled})" if name in override else settled
        lines.append(f"{name}: {told}")
    return Told("\n".join(lines), values)


def set_limit(documents: IDocuments, name: str, rate: str, burst: str) -> str:
    """Overrides a limit; returns what is in force from now on.

    :param name: ``"address"`` or ``"key"``.
    :param rate: requests a second; ``0`` for no limit.
    :param burst: requests at once; ``0`` for those of two seconds.
    :raises ValueError: what is no number, and what would be allowed.
    """
    pair = [_number("RATE", rate), _number("--burst", burst)]
    documents.change(KIND, OVERRIDE, lambda found: {**(found or {}), name: pair})
    return Told(f"{name}: {_told(budget_of(*pair))}", {name: {"limit": _value(*pair)}})


def clear_limits(documents: IDocuments, name: str | None) -> str:
    """The settings count again, for one limit or for both."""

    def rule(found: dict[str, Any] | None) -> dict[str, Any] | None:
        left = {one: pair for one, pair in (found or {}).items() if name not in (None, one)}
        return left or None

    documents.change(KIND, OVERRIDE, rule)
    return "the settings are in force"


def _of_settings(settings: Settings, name: str) -> tuple[float, float]:
    return getattr(settings, f"rate_limit_{name}"), getattr(settings, f"rate_limit_{name}_burst")


def _number(what: str, text: str) -> float:
    try:
        return RATE.read(text)  # type: ignore[no-any-return]
    except ValueError:
        raise ValueError(f"{what}: {text!r} is not allowed; allowed is {RATE.allowed}") from None


def _value(rate: float, burst: float) -> dict[str, float] | None:
    """The same for programs; None for no limit."""
    budget = budget_of(rate, burst)
    return None if budget is None else {"rate": budget.rate, "burst": budget.burst}


def _told(budget: Budget | None) -> str:
    return "no limit" if budget is None else f"{budget.rate:g} a second, {budget.burst:g} at once"

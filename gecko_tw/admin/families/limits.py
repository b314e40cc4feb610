"""Rate limits: in force, overridden, and given back to the settings."""

from gecko_tw.admin.rows import DELETE, GET, Asked, row
from gecko_tw.admin.schemas import BOOLEAN, answer, maybe, members, number, one_of
from gecko_tw.resources.dispatch.operations import PUT
from gecko_tw.resources.gates.limit_overrides import OF, Pairs, limits_in_force, override_limits
from gecko_tw.settings import Settings
from gecko_tw.store.records import Json

_LIMIT = maybe(answer(rate=number(), burst=number()))
_ONE = answer(limit=_LIMIT, settings=_LIMIT, overridden=BOOLEAN)
LIMITS = answer(**dict.fromkeys(OF, _ONE))
_MOST = 999_999_999
_PAIR = members(["rate"], rate=number(0, _MOST), burst=number(0, _MOST))


def limits_of(settings: Settings) -> Pairs:
    """What the settings say."""
    return {
        name: (getattr(settings, f"rate_limit_{name}"), getattr(settings, f"rate_limit_{name}_burst")) for name in OF
    }


@row("GetLimits", GET, "/limits", needs="admin:GetLimits", answer=LIMITS, document=True)
def get_limits(asked: Asked) -> Json:
    """The rate limits in force, and what the settings say."""
    return limits_in_force(asked.ground.store.documents, limits_of(asked.ground.settings))


@row(
    "SetLimits",
    PUT,
    "/limits",
    needs="admin:SetLimits",
    body=members(**dict.fromkeys(OF, maybe(_PAIR))),
    answer=LIMITS,
    document=True,
)
def set_limits(asked: Asked) -> Json:
    """Overrides limits in all processes within a second; null lets the settings count again, a rate of 0 is no limit."""
    wanted = {
        name: None if pair is None else (float(pair["rate"]), float(pair.get("burst", 0)))
        for name, pair in asked.body.items()
    }
    return override_limits(asked.ground.store.documents, limits_of(asked.ground.settings), wanted, asked.check)


@row(
    "ClearLimits",
    DELETE,
    "/limits",
    needs="admin:SetLimits",
    query=members(of=one_of(*OF)),
    answer=LIMITS,
    document=True,
)
def clear_limits(asked: Asked) -> Json:
    """Lets the settings count again, for one limit or for both."""
    wanted: dict[str, tuple[float, float] | None] = dict.fromkeys([asked.query["of"]] if "of" in asked.query else OF)
    return override_limits(asked.ground.store.documents, limits_of(asked.ground.settings), wanted, asked.check)

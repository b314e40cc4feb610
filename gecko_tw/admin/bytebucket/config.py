"""What ByteBucket lets be set while it runs: the rate limit of client addresses."""

from collections.abc import Mapping
from typing import Any

from gecko_tw.admin.families.limits import limits_of
from gecko_tw.admin.rows import DELETE, GET, Asked, row
from gecko_tw.admin.schemas import BOOLEAN, answer, maybe, members
from gecko_tw.resources.dispatch.operations import PUT
from gecko_tw.resources.gates.limit_overrides import limits_in_force, override_limits
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

_MOST, _MOST_PROXIES = 1_000_000, 64
_NUMBER = {"type": "number"}
_LIMIT = answer(enabled=BOOLEAN, rps=_NUMBER, burst=_NUMBER, trustedProxies={"type": "integer"})
_EFFECTIVE = answer(effective=_LIMIT)
_OF = "address"


@row("ByteBucketGetConfig", GET, "/config", needs="admin:ServerInfo", answer=answer(publicBaseURL={"type": "string"}))
def get_config(asked: Asked) -> Json:
    """Where clients find S3, as far as the settings say."""
    return {"publicBaseURL": asked.ground.settings.public_base_url}


def _told(asked: Asked, limit: Mapping[str, float] | None) -> dict[str, Json]:
    rate, burst = (0, 0) if limit is None else (limit["rate"], limit["burst"])
    return {
        "enabled": limit is not None,
        "rps": rate,
        "burst": burst,
        "trustedProxies": asked.ground.settings.trusted_proxies,
    }


@row(
    "ByteBucketGetRateLimit",
    GET,
    "/config/ratelimit",
    needs="admin:GetLimits",
    answer=answer(env=_LIMIT, effective=_LIMIT, override=maybe(_LIMIT)),
)
def get_rate_limit(asked: Asked) -> Json:
    """What the settings say, what is in force, and what overrides them."""
    found = limits_in_force(asked.ground.store.documents, limits_of(asked.ground.settings))[_OF]
    effective = _told(asked, found["limit"])
    return {
        "env": _told(asked, found["settings"]),
        "effective": effective,
        "override": effective if found["overridden"] else None,
    }


@row(
    "ByteBucketSetRateLimit",
    PUT,
    "/config/ratelimit",
    needs="admin:SetLimits",
    body=members(
        ["enabled", "rps", "burst", "trustedProxies"],
        enabled=BOOLEAN,
        rps=_NUMBER,
        burst={"type": "integer"},
        trustedProxies={"type": "integer"},
    ),
    answer=_EFFECTIVE,
)
def set_rate_limit(asked: Asked) -> Json:
    """Overrides the limit in all processes within a second; how many proxies are trusted, the settings alone say."""
    rps, burst = asked.given("rps"), asked.given("burst")
    _check(asked, rps, burst)
    return _override(asked, (float(rps), float(burst)) if asked.given("enabled") else (0.0, 0.0))


def _check(asked: Asked, rps: float, burst: int) -> None:
    proxies, own = asked.given("trustedProxies"), asked.ground.settings.trusted_proxies
    for name, value, most in (("rps", rps, _MOST), ("burst", burst, _MOST), ("trustedProxies", proxies, _MOST_PROXIES)):
        if not 0 <= value <= most:
            raise InvalidArgument(f"{name} must be from 0 to {most}")
    if asked.given("enabled") and (rps < 1 or burst < 1):
        raise InvalidArgument("enabled needs an rps and a burst of at least 1")
    if proxies != own:
        raise InvalidArgument(f"trustedProxies is {own}: --trusted-proxies says so at the start, and nothing later")


@row("ByteBucketClearRateLimit", DELETE, "/config/ratelimit", needs="admin:SetLimits", answer=_EFFECTIVE)
def clear_rate_limit(asked: Asked) -> Json:
    """Lets the settings count again."""
    return _override(asked, None)


def _override(asked: Asked, pair: tuple[float, float] | None) -> dict[str, Any]:
    ground = asked.ground
    found = override_limits(ground.store.documents, limits_of(ground.settings), {_OF: pair})
    return {"effective": _told(asked, found[_OF]["limit"])}

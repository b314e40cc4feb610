"""What settings say about what stands in front of the service: proxies, and limits for whoever comes through them."""

from collections.abc import Callable

from gecko_tw.callers.accounts.sealing import Sealer
from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.callers.budgets.token_buckets import budget_of
from gecko_tw.callers.signatures.proxies import Front
from gecko_tw.resources.gates.rate_limits import RateLimits
from gecko_tw.settings import Settings
from gecko_tw.store.drivers.interfaces import IDocuments


def front_of(settings: Settings) -> Front:
    """What stands between clients and us."""
    return Front(
        trusted=settings.trusted_proxies,
        prefix=settings.path_prefix.encode("ascii"),
        aliases=tuple(name.encode("ascii") for name in settings.host_alias if name),
        domains=tuple(name for name in (settings.website_domain, settings.domain) if name),
    )


def limits_of(settings: Settings, tally: Tally, clock: Callable[[], float], documents: IDocuments | None) -> RateLimits:
    """How many requests anybody may make.

    :param tally: what is counted in all processes together.
    :param clock: seconds since 1970.
    :param documents: where budgets may be overridden.
    """
    return RateLimits(
        tally,
        settings.workers,
        clock,
        budget_of(settings.rate_limit_address, settings.rate_limit_address_burst),
        budget_of(settings.rate_limit_key, settings.rate_limit_key_burst),
        documents,
    )


def jay_secret_of(settings: Settings, sealer: Sealer) -> bytes:
    """What presigned URLs of Jay's kind are signed with, the same in all processes; empty where nobody can make any."""
    if settings.signing_secret:
        return settings.signing_secret.encode()
    return sealer.derived("presigned URLs of Jay's kind") if settings.admin_token else b""

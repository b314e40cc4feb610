"""Callers who fail to prove who they are: told in the log, counted by address, and answered later and later."""

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.callers.budgets.token_buckets import Budget, refilled
from gecko_tw.callers.refusals import (
    AuthorizationHeaderMalformed,
    AuthorizationQueryParametersError,
    ExpiredToken,
    ExpiredTokenException,
    InvalidAccessKeyId,
    InvalidIdentityToken,
    InvalidToken,
    RequestTimeTooSkewed,
    SignatureDoesNotMatch,
    Unproven,
    WrongSecret,
)
from gecko_tw.callers.signatures.authenticate import claimed_key
from gecko_tw.callers.signatures.proxies import neighbourhood
from gecko_tw.store.refusals import Refusal
from gecko_tw.wire.head import Head

LOGIN_BUDGET = Budget(rate=5 / 60, burst=5.0)
"""Failures that cost nothing: five at once, five a minute."""

SHORTEST, LONGEST = 0.25, 5.0
"""Seconds that the first failure beyond that waits for its answer, and that any does; each waits twice as long as the one before."""

DEEPEST = -10.0
"""How far beyond an address can get: the last two minutes count, and no more."""

LINES = Budget(rate=5.0, burst=50.0)
"""Lines in the log of each process."""

_GUESSES = (SignatureDoesNotMatch, InvalidAccessKeyId, InvalidToken, WrongSecret)
"""Failures that a caller who tries keys has."""

FAILURES = (
    *_GUESSES,
    Unproven,
    ExpiredToken,
    ExpiredTokenException,
    InvalidIdentityToken,
    RequestTimeTooSkewed,
    AuthorizationHeaderMalformed,
    AuthorizationQueryParametersError,
)
"""Refusals of whoever claims to be somebody and does not prove it."""

_LONGEST_SHOWN = 300


class Logins:
    """Counts the failures of each client address in all processes together.

    :param tally: the table that they share.
    """

    _log = Logger()

    def __init__(self, tally: Tally, clock: IReactorTime) -> None:
        self._tally = tally
        self._clock = clock
        self._lines, self._told, self._untold = LINES.burst, 0.0, 0

    def succeeded(self, head: Head) -> None:
        """A caller has proven who it is: what its address failed before is forgotten."""
        last = self._tally.last_failure
        if not last:
            return
        if not 0 <= self._clock.seconds() - last <= (LOGIN_BUDGET.burst - DEEPEST) / LOGIN_BUDGET.rate:
            self._tally.last_failure = 0.0
        else:
            self._tally.forget(_name(head.address))

    def failed(self, request_id: str, address: str, head: Head, refusal: Refusal) -> float:
        """Logs a failure, one of FAILURES, and counts it; returns how many seconds pass until it may be answered."""
        self._tell(request_id, address, head, refusal)
        if not isinstance(refusal, _GUESSES):
            return 0.0
        now = self._clock.seconds()
        level = self._tally.step(_name(address), LOGIN_BUDGET, now, lambda level: max(DEEPEST, level - 1.0))
        self._tally.last_failure = now
        return delay_of(level) if level < 0.0 else 0.0

    def _tell(self, request_id: str, address: str, head: Head, refusal: Refusal) -> None:
        now = self._clock.seconds()
        self._lines, self._told = refilled(self._lines, now - self._told, LINES), now
        if self._lines < 1.0:
            self._untold += 1
            return
        self._lines -= 1.0
        if self._untold:
            self._log.warn("{count} more requests failed to prove who asks", count=self._untold)
            self._untold = 0
        self._log.warn(
            "request {id} from {address} failed to prove who asks: {code} for key {key}: {why}; host: {host}; hosts tried: {tried}",
            id=request_id,
            address=address or "-",
            code=refusal.code,
            key=_shown(refusal.details.get("AWSAccessKeyId") or claimed_key(head) or "-"),
            why=_shown(refusal.message),
            host=_shown(head.header(b"host") or "-"),
            tried=_shown(refusal.details.get("HostsTried", "-")),
        )


def delay_of(level: float) -> float:
    """Seconds until a failure is answered that left this level, below 0."""
    return float(min(LONGEST, SHORTEST * 2 ** int(-level)))


def _name(address: str) -> str:
    return "failed " + neighbourhood(address)


def _shown(text: str) -> str:
    """What a caller wrote, as one short line."""
    text = text[:_LONGEST_SHOWN]
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")

"""What every operation needs from outside: the stores, who may ask, the pools, and how to call blocking code."""

import secrets
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Concatenate, ParamSpec, TypeVar

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, IIdentities, OnePair
from gecko_tw.callers.accounts.last_use import Uses
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.callers.accounts.sessions import Sessions
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.callers.signatures.proxies import Front
from gecko_tw.callers.signatures.web_identity import IIssuers
from gecko_tw.jobs.access_log_delivery import AccessLogs
from gecko_tw.pools import IPool, Shielded
from gecko_tw.resources.access_logs.entries import AccessEntry
from gecko_tw.resources.answers.head_cache import HeadCache
from gecko_tw.resources.bodies.buffers import BodyBuffers
from gecko_tw.resources.bodies.unauthenticated import Unauthenticated
from gecko_tw.resources.dispatch.operations import OperationTable
from gecko_tw.resources.dispatch.readiness import Readiness
from gecko_tw.resources.gates.logins import Logins
from gecko_tw.resources.gates.rate_limits import RateLimits
from gecko_tw.store.drivers.interfaces import INotices, Stale
from gecko_tw.store.integrity.quarantine import Quarantine
from gecko_tw.store.interfaces import IBuckets
from gecko_tw.store.objects import Objects
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import now_of
from gecko_tw.store.refusals import Refusal
from gecko_tw.store.requests import UNCONDITIONAL
from gecko_tw.store.uploads import Uploads

P = ParamSpec("P")
T = TypeVar("T")

SMALL = 64 * 1024
"""Bytes up to which hashing and writing takes no longer than handing them to another thread."""

_MASK = (1 << 64) - 1


def request_ids() -> Callable[[], str]:
    """A source of unique ``x-amz-request-id``: 16 hexadecimal digits, counted up from a random start in every process."""
    numbers = count(secrets.randbits(64))
    return lambda: f"{next(numbers) & _MASK:016X}"


@define(eq=False, kw_only=True)
class Service:
    """What the composition root gives to floor 3.

    :ivar table: every operation of this deployment.
    :ivar catalog_pool: for records that take long; ``bytes_pool`` for bodies and whatever takes
        long; ``commit_pool`` for commits of a few bytes to keys that are settled.
    :ivar clock: its seconds are those since 1970.
    :ivar quick: whether reads of records take microseconds and run on the reactor thread.
    :ivar region: what GetBucketLocation and HeadBucket answer for buckets created without one.
    :ivar domains: names whose subdomains are buckets, lower-case; those of ``website_domains`` are buckets shown as websites.
    :ivar identities: who an access control list may name.
    :ivar sessions: None when nobody can have any; ``registry`` where no identities are kept.
    :ivar issuers: finds the keys of identity providers; None where none is asked.
    :ivar acl: what becomes of access control lists: ``"honour"``, ``"ignore"`` (accepted, and nothing is kept) or ``"refuse"`` (new
        buckets have none, as AWS's).
    :ivar cors: ``"permissive"`` (GeckoS3's headers until a bucket has its own configuration) or ``"bucket"`` (AWS's rule).
    :ivar max_in_flight: requests under way before further ones are answered SlowDown.
    :ivar recreate_status: 409 answers BucketAlreadyOwnedByYou to who creates an own bucket again, 200 does as us-east-1.
    :ivar owner: canonical id of whatever has no recorded owner, e.g. adopted files.
    :ivar observers: each is called with an AccessEntry after every answer.
    :ivar front: what stands between clients and us.
    :ivar server_log: delivers the logs of buckets, where there are any.
    :ivar notices: events that wait to be delivered; ``delivers`` tells whether events can go to a destination.
    :ivar head_cache: heads of answers that were given before.
    :ivar buffers: memory for large bodies; ``flushing`` is how many bodies are being hashed and written now.
    :ivar quarantine: where damaged versions come; None where they are only refused.
    :ivar verify_reads: the share of downloads that are compared with their checksums, 0 for none at all.
    :ivar readiness: None where there is nothing that could not be ready.
    :ivar notices_damage: told what nobody expected; returns whether it means that the catalog is damaged, and has been told.
    :ivar unauthenticated: bodies that are read before it is known who asks.
    :ivar uses: which keys are used; None where nobody wants to know.
    :ivar limits: of requests, and ``logins`` of failures to prove who asks; None where nobody set any.
    """

    buckets: IBuckets
    objects: Objects
    uploads: Uploads
    table: OperationTable
    authenticator: Authenticator
    catalog_pool: IPool
    bytes_pool: IPool
    commit_pool: IPool
    clock: IReactorTime
    quick: bool = True
    region: str = "us-east-1"
    domains: tuple[str, ...] = ()
    website_domains: tuple[str, ...] = ()
    identities: IIdentities = field(factory=lambda: OnePair("", ""))
    sessions: Sessions | None = None
    registry: Registry | None = None
    issuers: IIssuers | None = None
    acl: str = "honour"
    cors: str = "permissive"
    max_in_flight: int = 1024
    recreate_status: int = 409
    owner: str = ROOT_ACCOUNT
    observers: tuple[Callable[[AccessEntry], object], ...] = ()
    front: Front = Front()
    limits: RateLimits | None = None
    logins: Logins | None = None
    notices: INotices | None = None
    server_log: AccessLogs | None = None
    delivers: Callable[[str], bool] = lambda target: False
    new_request_id: Callable[[], str] = field(factory=request_ids)
    host_id: str = field(factory=lambda: secrets.token_urlsafe(24))
    in_flight: int = 0
    buffers: BodyBuffers = field(factory=BodyBuffers)
    head_cache: HeadCache = field(factory=HeadCache)
    flushing: int = 0
    readiness: Readiness | None = None
    quarantine: Quarantine | None = None
    verify_reads: float = 0.0
    notices_damage: Callable[[Exception], bool] | None = None
    unauthenticated: Unauthenticated = field(factory=Unauthenticated)
    uses: Uses | None = None

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return now_of(self.clock.seconds())

    async def read(self, ask: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """``ask(*arguments)`` of a store verb that only looks: at once when that is quick, else in a thread.

        :raises Stale: the file behind a record never came to rest.
        """
        if not self.quick:
            return await self.scan(ask, *arguments, **named)
        try:
            return ask(*arguments, **named)
        except Stale as stale:
            await self.catalog_pool.run(stale.reconcile)
        return await self.scan(ask, *arguments, **named)

    async def scan(self, ask: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """``ask(*arguments)`` of a store verb that looks at many records: always in a thread."""
        return await self.catalog_pool.run(partial(reconciled, ask, *arguments, **named))

    def begin(self, do: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Shielded[T]:
        """Starts a store verb that changes something or moves bytes, in a thread. It ends even if the client leaves."""
        return self.bytes_pool.run(do, *arguments, **named)

    async def commit(
        self,
        size: int,
        do: Callable[Concatenate[str, bytes, P], T],
        bucket: str,
        key: bytes,
        *arguments: P.args,
        **named: P.kwargs,
    ) -> T:
        """The result of ``do(bucket, key, *arguments)``, a store verb that commits ``size`` bytes which are still in memory."""
        pool = self.commit_pool if size <= SMALL and self._is_reconciled(bucket, key) else self.bytes_pool
        return await pool.run(do, bucket, key, *arguments, **named)

    def _is_reconciled(self, bucket: str, key: bytes) -> bool:
        """Whether no file behind a key was changed, which takes as long to look at as it is large."""
        try:
            if self.quick:
                self.objects.allow(bucket, key, UNCONDITIONAL)
        except Stale:
            return False
        except Refusal:
            return True  # the verb itself will say so
        return True

    async def write(self, do: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """As ``begin``, and its result."""
        return await self.begin(do, *arguments, **named)

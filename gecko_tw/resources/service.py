"""What every operation needs from outside: the stores, who may ask, the pools, and how to call blocking code."""

import secrets
from collections.abc import Callable
from itertools import count
from typing import Any

from attrs import define, field

from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, IIdentities, OnePair
from gecko_tw.callers.accounts.sessions import Sessions
from gecko_tw.callers.signatures.proxies import Front
from gecko_tw.pools import IPool, Shielded
from gecko_tw.resources.access_logs.entries import AccessEntry
from gecko_tw.resources.answers.repeats import Repeats
from gecko_tw.resources.bodies.buffers import Tanks
from gecko_tw.resources.bodies.unauthenticated import Unauthenticated
from gecko_tw.resources.dispatch.operations import OperationTable
from gecko_tw.store.drivers.interfaces import Unsettled
from gecko_tw.store.interfaces import IBuckets, IObjects, IUploads
from gecko_tw.store.records import now_of
from gecko_tw.store.refusals import Refusal
from gecko_tw.store.requests import UNCONDITIONAL
from gecko_tw.store.settling import settled

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
    :ivar authenticator: a gecko_tw.callers.signatures.authenticate.Authenticator.
    :ivar catalog_pool: for records that take long; ``bytes_pool`` for bodies and whatever takes
        long; ``commit_pool`` for commits of a few bytes to keys that are settled.
    :ivar clock: an IReactorTime: ``seconds()`` since 1970 and ``callLater``.
    :ivar quick: whether reads of records take microseconds and run on the reactor thread.
    :ivar region: what GetBucketLocation and HeadBucket answer for buckets created without one.
    :ivar domains: names whose subdomains are buckets, lower-case; those of ``website_domains`` are buckets shown as websites.
    :ivar identities: who an access control list may name.
    :ivar sessions: a gecko_tw.callers.accounts.sessions.Sessions, or None when nobody can have any.
    :ivar acl: what becomes of access control lists: ``"honour"``, ``"ignore"`` (accepted, and nothing is kept) or ``"refuse"`` (new
        buckets have none, as AWS's).
    :ivar cors: ``"permissive"`` (GeckoS3's headers until a bucket has its own configuration) or ``"bucket"`` (AWS's rule).
    :ivar max_in_flight: requests under way before further ones are answered SlowDown.
    :ivar recreate_status: 409 answers BucketAlreadyOwnedByYou to who creates an own bucket again, 200 does as us-east-1.
    :ivar owner: canonical id of whatever has no recorded owner, e.g. adopted files.
    :ivar observers: each is called with an AccessEntry after every answer.
    :ivar front: what stands between clients and us.
    :ivar server_log: a gecko_tw.jobs.access_log_delivery.AccessLogs, or None.
    :ivar notices: an INotices; ``delivers`` tells whether events can go to a destination.
    :ivar repeats: heads of answers that were given before.
    :ivar tanks: memory for large bodies; ``flushing`` is how many bodies are being hashed and written now.
    :ivar readiness: a gecko_tw.resources.dispatch.health.Readiness, or None where there is nothing that could not be ready.
    :ivar notices_damage: told what nobody expected; returns whether it means that the catalog is damaged, and has been told.
    :ivar unauthenticated: bodies that are read before it is known who asks.
    :ivar limits: a gecko_tw.resources.gates.rate_limits.RateLimits, or None; ``logins``: a gecko_tw.resources.gates.logins.Logins, or None.
    """

    buckets: IBuckets
    objects: IObjects
    uploads: IUploads
    table: OperationTable
    authenticator: Any
    catalog_pool: IPool
    bytes_pool: IPool
    commit_pool: IPool
    clock: Any
    quick: bool = True
    region: str = "us-east-1"
    domains: tuple[str, ...] = ()
    website_domains: tuple[str, ...] = ()
    identities: IIdentities = field(factory=lambda: OnePair("", ""))
    sessions: Sessions | None = None
    acl: str = "honour"
    cors: str = "permissive"
    max_in_flight: int = 1024
    recreate_status: int = 409
    owner: str = ROOT_ACCOUNT
    observers: tuple[Callable[[AccessEntry], object], ...] = ()
    front: Front = Front()
    limits: Any = None
    logins: Any = None
    notices: Any = None
    server_log: Any = None
    delivers: Callable[[str], bool] = lambda target: False
    new_request_id: Callable[[], str] = field(factory=request_ids)
    host_id: str = field(factory=lambda: secrets.token_urlsafe(24))
    in_flight: int = 0
    tanks: Tanks = field(factory=Tanks)
    repeats: Any = field(factory=Repeats)
    flushing: int = 0
    readiness: Any = None
    notices_damage: Any = None
    unauthenticated: Unauthenticated = field(factory=Unauthenticated)

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return now_of(self.clock.seconds())

    async def read(self, ask: Callable[..., Any], *arguments: Any) -> Any:
        """``ask(*arguments)`` of a store verb that only looks: at once when that is quick, else in a thread.

        :raises Unsettled: the file behind a record never came to rest.
        """
        if not self.quick:
            return await self.catalog_pool.run(settled, ask, *arguments)
        try:
            return ask(*arguments)
        except Unsettled as unsettled:
            await self.catalog_pool.run(unsettled.settle)
        return await self.catalog_pool.run(settled, ask, *arguments)

    async def scan(self, ask: Callable[..., Any], *arguments: Any) -> Any:
        """``ask(*arguments)`` of a store verb that looks at many records: always in a thread."""
        return await self.catalog_pool.run(settled, ask, *arguments)

    def begin(self, do: Callable[..., Any], *arguments: Any) -> Shielded:
        """Starts a store verb that changes something or moves bytes, in a thread. It ends even if the client leaves."""
        return self.bytes_pool.run(do, *arguments)  # type: ignore[no-any-return]

    async def commit(self, size: int, do: Callable[..., Any], bucket: str, key: bytes, *arguments: Any) -> Any:
        """The result of ``do(bucket, key, *arguments)``, a store verb that commits ``size`` bytes which are still in memory."""
        pool = self.commit_pool if size <= SMALL and self._is_settled(bucket, key) else self.bytes_pool
        return await pool.run(do, bucket, key, *arguments)

    def _is_settled(self, bucket: str, key: bytes) -> bool:
        """Whether no file behind a key was changed, which takes as long to look at as it is large."""
        try:
            if self.quick:
                self.objects.allow(bucket, key, UNCONDITIONAL)
        except Unsettled:
            return False
        except Refusal:
            return True  # the verb itself will say so
        return True

    async def write(self, do: Callable[..., Any], *arguments: Any) -> Any:
        """As ``begin``, and its result."""
        return await self.begin(do, *arguments)

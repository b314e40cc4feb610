"""``/minio/v2/metrics/…``: what Prometheus scrapes with a configuration that ``mc admin prometheus generate`` has made.

``cluster`` and ``bucket`` tell under MinIO's names what MinIO's dashboards ask for, as far as it is known here; ``node`` tells what
``/metrics`` of the operators' listener does.
Source: MinIO, "Metrics and alerts" (version 2); RFC 7519 and RFC 6750 for the token.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from gecko_tw.admin.ground import Ground
from gecko_tw.admin.tree import METRICS_TYPE
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, Caller, Identity
from gecko_tw.callers.refusals import AccessDenied, ExpiredToken, InvalidAccessKeyId, WrongSecret
from gecko_tw.resources.answers.answer import Answer
from gecko_tw.resources.answers.refusals import MethodNotAllowed
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import GET, HEAD, Operation
from gecko_tw.resources.gates.admission import admit_caller
from gecko_tw.resources.gates.identity_permits import permit_administration
from gecko_tw.store.allowances import Allowance, allowance_of

if TYPE_CHECKING:
    from prometheus_client.core import Metric

PUBLIC, JWT, OFF = "public", "jwt", "off"
"""Who may scrape: everybody, whoever has a token, nobody."""

CLUSTER, NODE, BUCKET = b"/v2/metrics/cluster", b"/v2/metrics/node", b"/v2/metrics/bucket"
"""Below ``/minio``."""

ISSUER = "prometheus"
NEEDS = "admin:Prometheus"
_AT_ONCE = 1000


async def _nothing(call: Call) -> None:
    """It is answered by MinioMetrics."""


OPERATION = Operation(
    name="admin:Prometheus", method=GET, target="admin", selectors=frozenset(), needs=NEEDS, body=None, perform=_nothing
)


@frozen(eq=False)
class MinioMetrics:
    """Those places.

    :ivar who: PUBLIC, JWT or OFF.
    :ivar document: makes what ``node`` answers; blocks.
    """

    ground: Ground
    who: str
    document: Callable[[], bytes]

    def answers(self, path: bytes) -> bool:
        """Whether it is one of those places, raw and below ``/minio``."""
        return self.who != OFF and path in (CLUSTER, NODE, BUCKET)

    async def answer(self, call: Call, path: bytes) -> Answer:
        """What a scrape is answered with. Raises AccessDenied, and as :meth:`_prove`."""
        call.operation = OPERATION
        if call.head.method not in (GET, HEAD):
            raise MethodNotAllowed(Method=call.head.method, Allow="GET, HEAD")
        if self.who != PUBLIC:
            call.caller = Caller(identity=self._prove(call), kind="bearer")
            admit_caller(call)
            permit_administration(call, NEEDS)
        make = {CLUSTER: self._cluster, NODE: self.document, BUCKET: self._bucket}[path]
        return Answer(200, [(b"Content-Type", METRICS_TYPE)], await call.service.scan(make))

    def _prove(self, call: Call) -> Identity:
        """Whose token it is: signed with the secret of an access key, which it names.

        :raises AccessDenied: there is none.
        :raises InvalidAccessKeyId, WrongSecret, ExpiredToken: it is not good.
        """
        # Few are asked for it.
        import jwt

        header = call.header(b"authorization") or ""
        if not header[:7].lower() == "bearer ":
            raise AccessDenied("A token is needed: Authorization: Bearer, as `mc admin prometheus generate` makes it.")
        token = header[7:].strip()
        try:
            claimed = jwt.decode(token, options={"verify_signature": False}).get("sub")
        except jwt.PyJWTError:
            raise WrongSecret("The token is none.") from None
        identity: Identity | None = self.ground.identities.find(claimed) if isinstance(claimed, str) else None
        if identity is None or identity.account != ROOT_ACCOUNT:
            raise InvalidAccessKeyId
        now = call.service.clock.seconds()
        if identity.expires is not None and identity.expires <= now:
            raise ExpiredToken("The access key has expired.")
        unchecked = dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat"), False)
        try:
            # HMAC fills keys up with zeros itself (RFC 2104, 2): the library warns of shorter ones, which secrets are.
            secret = identity.secret.encode().ljust(64, b"\0")
            claims = jwt.decode(
                token,
                secret,
                ["HS512", "HS384", "HS256"],
                options={**unchecked, "require": ["sub", "iss", "exp"]},  # type: ignore[arg-type] # names of options
                issuer=ISSUER,
            )
        except jwt.PyJWTError:
            raise WrongSecret("The token is not signed with the secret of its access key.") from None
        if not isinstance(claims["exp"], int | float) or claims["exp"] <= now:
            raise ExpiredToken
        return identity

    def _allowances(self) -> Iterator[Allowance]:
        buckets, after = self.ground.store.buckets, ""
        while page := buckets.page("", after, _AT_ONCE):
            after = page[-1].name
            yield from (allowance_of(buckets, record) for record in page)

    def _cluster(self) -> bytes:
        found, sizes = list(self._allowances()), self.ground.sizes()
        used = [one.used for one in found if one.used is not None]
        total, free = sizes["disk_size_bytes"][1], sizes["disk_free_bytes"][1]
        gauges = {
            "minio_cluster_capacity_raw_total_bytes": ("Size of the data directory's file system.", total),
            "minio_cluster_capacity_raw_free_bytes": ("What of it is free.", free),
            "minio_cluster_capacity_usable_total_bytes": ("Size of the data directory's file system.", total),
            "minio_cluster_capacity_usable_free_bytes": ("What of it is free.", free),
            "minio_cluster_usage_total_bytes": ("What all buckets hold.", sum(one.bytes for one in used)),
            "minio_cluster_usage_object_total": ("Objects in all buckets.", sum(one.objects for one in used)),
            "minio_cluster_bucket_total": ("Buckets.", len(found)),
            "minio_cluster_nodes_online_total": ("Nodes that answer.", 1),
            "minio_cluster_nodes_offline_total": ("Nodes that do not.", 0),
        }
        return _written(_gauges(gauges))

    def _bucket(self) -> bytes:
        return _written(_of_buckets(list(self._allowances())))


def _gauges(found: Mapping[str, tuple[str, float]]) -> "Iterator[Metric]":
    from prometheus_client.core import GaugeMetricFamily

    for name, (about, value) in found.items():
        yield GaugeMetricFamily(name, about, value)


def _of_buckets(found: list[Allowance]) -> "Iterator[Metric]":
    from prometheus_client.core import GaugeMetricFamily

    size = GaugeMetricFamily("minio_bucket_usage_total_bytes", "What a bucket holds.", labels=["bucket"])
    objects = GaugeMetricFamily("minio_bucket_usage_object_total", "Objects in a bucket.", labels=["bucket"])
    quota = GaugeMetricFamily("minio_bucket_quota_total_bytes", "What it may hold.", labels=["bucket"])
    for one in found:
        if one.used is not None:
            size.add_metric([one.bucket], one.used.bytes)
            objects.add_metric([one.bucket], one.used.objects)
        if one.quota["bytes"] is not None:
            quota.add_metric([one.bucket], one.quota["bytes"])
    yield from (size, objects, quota)


def _written(metrics: "Iterable[Metric]") -> bytes:
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.registry import Collector

    class Found(Collector):
        def collect(self) -> "Iterable[Metric]":
            return metrics

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Found())
    return generate_latest(registry)

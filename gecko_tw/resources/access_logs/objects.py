"""The objects that server access logs become: what they are called, whether the target bucket lets them in, and writing them. Blocks.

Sources: S3 User Guide, "Logging requests with server access logging" and "Enabling Amazon S3 server access logging".
"""

import secrets
from datetime import UTC, datetime

from attrs import evolve, frozen

from gecko_tw.callers.access.acl import grants_of, kept, private
from gecko_tw.callers.access.policies import Principal, RequestContext, decide, resource_arn
from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.jobs.access_log_delivery import SETTING, Batch
from gecko_tw.resources.gates.access_settings import ACL, POLICY, acls_count, bucket_owner, policy_of
from gecko_tw.resources.headers.sse import SETTING as ENCRYPTION
from gecko_tw.resources.headers.sse import by_default
from gecko_tw.resources.service import Service
from gecko_tw.store.objects import Objects
from gecko_tw.store.records import BucketRecord, Json
from gecko_tw.store.requests import Put
from gecko_tw.store.rules import notices

SERVICE = "logging.s3.amazonaws.com"
"""The service principal that policies know the delivery by."""

EVENT_TIME, DELIVERY_TIME, SIMPLE = "EventTime", "DeliveryTime", "SimplePrefix"
"""How keys are made; the first two are partitioned."""

_TYPE = "text/plain"


@frozen
class LogObjects:
    """Writes batches of lines.

    :ivar service: a gecko_tw.resources.service.Service.
    """

    service: Service

    def write(self, batch: Batch) -> None:
        """Stores the lines as one object of the target bucket's owner, as any other put would.

        :raises NoSuchBucket: the target bucket is gone.
        :raises AccessDenied: it belongs to somebody else by now, or its policy denies the delivery.
        :raises Refusal: as Objects.put.
        """
        service, source = self.service, batch.record
        target = service.buckets.get(batch.target)
        key = key_of(service, source, batch.day, secrets.token_hex(8).upper())
        owner = bucket_owner(service, target)
        if owner != bucket_owner(service, source):
            raise AccessDenied("The bucket belongs to another account than the one whose log it shall hold.")
        if is_denied(service, source, target, key):
            raise AccessDenied("The policy of the bucket denies the delivery of logs.")
        objects, wish = self._objects(target), by_default(None, target.settings.get(ENCRYPTION, {}))
        incoming = objects.receive((), None if wish is None else lambda: objects.keys.seal(wish))
        incoming.push(b"".join(batch.lines))
        request = Put(
            now=service.now(),
            headers={"content-type": _TYPE},
            owner=owner,
            extra=_list(service, source, target),
        )
        objects.put(target.name, key, incoming, request)

    def _objects(self, target: BucketRecord) -> Objects:
        """The verbs, which tell those who watch the target bucket."""
        service = self.service
        objects: Objects = service.objects
        if not notices.is_told(target):
            return objects
        region = target.region or service.region
        cause = notices.Cause(event="ObjectCreated:Put", now=service.now(), principal=SERVICE, region=region)
        return evolve(objects, cause=cause)


def key_of(service: Service, source: BucketRecord, day: int, unique: str) -> bytes:
    """The key of an object with lines of a bucket.

    :param day: days since 1970 on which the requests came.
    :param unique: what no other object's key ends in.
    """
    setting = source.settings[SETTING]
    form, moment = setting.get("format", SIMPLE), datetime.fromtimestamp(int(service.clock.seconds()), UTC)
    prefix = setting["prefix"]
    if form == EVENT_TIME:
        moment = datetime.fromtimestamp(day * 86400, UTC)
    if form != SIMPLE:
        region = source.region or service.region
        prefix += f"{bucket_owner(service, source)}/{region}/{source.name}/{moment:%Y/%m/%d}/"
    return f"{prefix}{moment:%Y-%m-%d-%H-%M-%S}-{unique}".encode()


def is_denied(service: Service, source: BucketRecord, target: BucketRecord, key: bytes) -> bool:
    """Whether a statement of the target bucket's policy denies the delivery.

    One that allows it is not needed: both buckets belong to the same account, which asked for it.
    """
    text = target.settings.get(POLICY)
    if text is None:
        return False
    account = bucket_owner(service, source)
    context = RequestContext(
        principal=Principal(service=SERVICE),
        action="s3:PutObject",
        resource=resource_arn(target.name, key),
        now=service.clock.seconds(),
        values={
            "aws:SourceArn": resource_arn(source.name),
            "aws:SourceAccount": account,
            "aws:ResourceAccount": account,
            "s3:ResourceAccount": account,
            # Nothing leaves this machine.
            "aws:SecureTransport": "true",
        },
    )
    return decide(context, (policy_of(text, target.name)[0],)).explicit_deny


def _list(service: Service, source: BucketRecord, target: BucketRecord) -> dict[str, Json]:
    """The access control list of an object, as far as the target bucket has lists."""
    granted = source.settings[SETTING].get("grants")
    if not granted or not acls_count(service, target):
        return {}
    owner = bucket_owner(service, target)
    return {ACL: kept((*grants_of(granted, owner), *private(owner)), owner)}

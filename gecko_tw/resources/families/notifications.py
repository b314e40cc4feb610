"""Who is told of what happens in a bucket: its notification configuration."""

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import MissingRequestBodyError
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, GET, PUT, Document, operation
from gecko_tw.resources.documents import notifications
from gecko_tw.resources.documents.bucket_settings import change_setting, read_setting
from gecko_tw.resources.gates.events import cause_of
from gecko_tw.store.records import Notice
from gecko_tw.store.refusals import InvalidArgument
from gecko_tw.store.rules.notices import SETTING, first_event

_LIMIT = 256 * 1024


@operation("GetBucketNotificationConfiguration", GET, BUCKET, "notification", needs="s3:GetBucketNotification")
async def get_bucket_notification(call: Call) -> Answer:
    """Never set: an empty document. Source: S3 API Reference, GetBucketNotificationConfiguration."""
    return xml(notifications.write_configuration(await read_setting(call, SETTING) or {}))


@operation(
    "PutBucketNotificationConfiguration",
    PUT,
    BUCKET,
    "notification",
    needs="s3:PutBucketNotification",
    body=Document(_LIMIT),
)
async def put_bucket_notification(call: Call, document: bytes) -> Answer:
    """Replaces the configuration; an empty one ends it. Each destination is sent a test event.

    Source: S3 API Reference, PutBucketNotificationConfiguration.

    :raises InvalidArgument: a destination is none to which anything delivers.
    """
    if not document:
        raise MissingRequestBodyError
    service = call.service
    configuration = notifications.read_configuration(document)
    targets = notifications.destinations(configuration)
    unknown = [target for target in targets if not service.delivers(target)]
    if unknown and call.headers.get(b"x-amz-skip-destination-validation", b"").lower() != b"true":
        raise InvalidArgument(
            "Unable to validate the following destination configurations: nothing delivers to them",
            ArgumentName=", ".join(unknown),
        )
    await change_setting(call, SETTING, configuration or None)
    event = first_event(call.bucket, cause_of(call, "TestEvent"))
    known = [target for target in targets if target not in unknown]
    if service.notices is not None:
        await service.write(service.notices.add, [Notice(target, event) for target in known])
    return Answer(200)

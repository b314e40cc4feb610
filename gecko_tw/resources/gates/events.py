"""Who wants to know what an operation does: the store's verbs for one call, which tell those who asked to be told."""

from attrs import evolve

from gecko_tw.resources.call import Call
from gecko_tw.store.objects import Objects
from gecko_tw.store.rules.notices import Cause, is_told
from gecko_tw.store.uploads import Uploads


def objects_for(call: Call, event: str) -> Objects:
    """The verbs of objects for a call that makes this event, e.g. ``ObjectCreated:Put``."""
    objects: Objects = call.service.objects
    if call.record is None or not is_told(call.record):
        return objects
    return evolve(objects, cause=cause_of(call, event))


def uploads_for(call: Call, event: str) -> Uploads:
    """The same of uploads."""
    uploads: Uploads = call.service.uploads
    if call.record is None or not is_told(call.record):
        return uploads
    return evolve(uploads, objects=evolve(uploads.objects, cause=cause_of(call, event)))


def cause_of(call: Call, event: str) -> Cause:
    """What a call says of itself."""
    service = call.service
    return Cause(
        event=event,
        now=service.now(),
        principal=call.caller.principal.account or "anonymous",
        address=call.address,
        request_id=call.request_id,
        host_id=service.host_id,
        region=call.record.region or service.region if call.record is not None else service.region,
    )

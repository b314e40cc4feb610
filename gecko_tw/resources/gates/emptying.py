"""A bucket emptied for a caller: version by version, each asked for as a request for it would be."""

from attrs import evolve

from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.call import Call
from gecko_tw.resources.gates.events import objects_for
from gecko_tw.resources.gates.permits import may_remove
from gecko_tw.store.emptying import Emptied, empty
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.requests import Remove


def empty_for(call: Call, record: BucketRecord, bypass: bool = False) -> Emptied:
    """Removes what the caller may remove of a bucket and no lock holds. Blocks. Raises NoSuchBucket.

    :param bypass: whether retentions in governance mode are passed over where the caller may.
    """
    call = evolve(call, bucket=record.name, record=record)
    objects = objects_for(call, "ObjectRemoved:Delete")

    def remove(key: bytes, version_id: str) -> object:
        if not may_remove(call, key, version_id):
            raise AccessDenied
        passed = bypass and may_remove(call, key, version_id, bypass=True)
        now = call.service.now()
        return objects.remove(record.name, key, Remove(now=now, version_id=version_id, owner=call.owner, bypass=passed))

    return empty(objects, record.name, remove)

"""``x-minio-force-delete``: what is below is to be removed as well. Source: MinIO, DeleteBucket; minio-go, RemoveBucketWithOptions."""

from gecko_tw.callers.refusals import Unproven
from gecko_tw.resources.call import Call
from gecko_tw.store.refusals import InvalidArgument

HEADER = b"x-minio-force-delete"


def wants_force(call: Call) -> bool:
    """Whether the header says so.

    :raises InvalidArgument: it says neither true nor false.
    :raises Unproven: it is not signed, so that it may be of somebody on the way.
    """
    given = call.head.headers.get(HEADER)
    if given is None or given.lower() == b"false":
        return False
    if given.lower() != b"true":
        raise InvalidArgument("Allowed is true or false.", ArgumentName=HEADER.decode())
    signed = call.head.headers.get(b"authorization", b"")
    if call.caller.kind in ("header", "presigned") and HEADER not in signed:
        raise Unproven(
            "There were headers present in the request which were not signed", HeadersNotSigned=HEADER.decode()
        )
    return True

"""Who asks the administration, whatever face of it: somebody with a key, who signs each request."""

from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.resources.call import Call
from gecko_tw.resources.gates.admission import admit_caller


def prove_caller(call: Call, authenticator: Authenticator) -> None:
    """Finds the caller. Raises as Authenticator.authenticate, AccessDenied, and SlowDown."""
    caller = authenticator.authenticate(call.head)
    if caller.kind == "anonymous":
        raise AccessDenied("A signature of version 4, or Authorization: Bearer <access key>:<secret>, is needed.")
    # Whoever gives away the URL of an object gives away nothing here, whatever the object is named.
    if caller.kind in ("presigned", "jay") or call.head.headers.get(b"authorization", b"").startswith(b"AWS "):
        raise AccessDenied("Presigned URLs and signatures of version 2 are not accepted here.")
    call.caller = caller
    if caller.identity is not None:
        admit_caller(call)

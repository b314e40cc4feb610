"""What becomes of a call once its caller has proven, or failed to prove, who it is."""

from twisted.internet.task import deferLater

from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import S3
from gecko_tw.resources.gates.logins import FAILURES
from gecko_tw.resources.gates.mismatches import what_differed
from gecko_tw.store.refusals import Refusal


def admit_caller(call: Call) -> None:
    """A caller has proven who it is: its key spends a request, and its address starts anew. Raises SlowDown."""
    service, identity = call.service, call.caller.identity
    if service.logins is not None:
        service.logins.succeeded(call.head)
    if service.uses is not None and identity is not None:
        service.uses.note(identity.access_key, S3 if call.operation is None else call.operation.service)
    if service.limits is not None and identity is not None:
        service.limits.admit_key(identity)


async def wait_after(call: Call, refusal: Refusal) -> None:
    """Returns when a refusal may be answered: who fails again and again to prove who it is waits longer and longer."""
    service = call.service
    if service.logins is None or not isinstance(refusal, FAILURES):
        return
    call.why = what_differed(call.head, refusal)
    delay = service.logins.failed(call.request_id, call.address, call.head, refusal)
    if delay:
        # Who waits here does nothing: others must not be refused because of it.
        service.in_flight -= 1
        try:
            await deferLater(service.clock, delay)
        finally:
            service.in_flight += 1

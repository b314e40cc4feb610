"""``/api/v1``: the face of the rows that is our own."""

from attrs import frozen

from gecko_tw.admin.proving import prove_caller
from gecko_tw.admin.row_face import RowFace, answered, headers_of, status_of
from gecko_tw.admin.rows import PREFIX, Row
from gecko_tw.resources.answers.answer import Answer
from gecko_tw.resources.call import Call
from gecko_tw.resources.gates.identity_permits import permit_administration
from gecko_tw.store.refusals import Refusal


@frozen(eq=False)
class AdminApi(RowFace):
    """Whoever signs, or says a key pair, may do what policies of the settings' account allow."""

    @property
    def prefix(self) -> bytes:
        return PREFIX.encode() + b"/"

    def admit(self, call: Call, row: Row) -> None:
        """Raises as :func:`prove_caller`, and AccessDenied."""
        prove_caller(call, self.service.authenticator)
        if row.needs is not None:
            permit_administration(call, row.needs)

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """Its code, what it says, and what identifies the request."""
        told = {"code": refusal.code, "message": refusal.message, "requestId": call.request_id}
        text = f"{refusal.code}: {refusal.message}"
        return answered(status_of(refusal.code), told, headers_of(refusal), text)

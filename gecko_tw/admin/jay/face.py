"""Whoever has the one token of the settings administers; how Jay tells refusals."""

from hmac import compare_digest

from attrs import frozen

from gecko_tw.admin.row_face import RowFace, answered, headers_of, status_of
from gecko_tw.admin.rows import Row
from gecko_tw.callers.accounts.identities import Caller
from gecko_tw.callers.refusals import AccessDenied, WrongSecret
from gecko_tw.resources.answers.answer import Answer
from gecko_tw.resources.call import Call
from gecko_tw.resources.gates.lockout import Lockout
from gecko_tw.store.refusals import Refusal

_SCHEME = b"bearer "


class NoAdminToken(WrongSecret):
    """unauthorized"""


class LockedOut(AccessDenied):
    """unauthorized"""

    @property
    def code(self) -> str:
        return "AccessDenied"


@frozen(eq=False)
class JayFace(RowFace):
    """The face.

    :ivar token: of the settings; never empty.
    """

    token: bytes
    lockout: Lockout

    any_type = True

    @property
    def prefix(self) -> bytes:
        return b"/_jay/"

    def admit(self, call: Call, row: Row) -> None:
        """Raises NoAdminToken, LockedOut."""
        seconds = self.lockout.left(call.address)
        if seconds:
            raise LockedOut(RetryAfterSeconds=seconds)
        given = call.head.headers.get(b"authorization", b"")
        if given[: len(_SCHEME)].lower() != _SCHEME or not compare_digest(given[len(_SCHEME) :].strip(), self.token):
            self.lockout.failed(call.address)
            raise NoAdminToken
        self.lockout.succeeded(call.address)
        call.caller = Caller(kind="token")

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """What it says, and no more."""
        text = f"{refusal.code}: {refusal.message}"
        if isinstance(refusal, NoAdminToken | LockedOut):
            seconds = refusal.details.get("RetryAfterSeconds")
            headers = [(b"Retry-After", seconds.encode())] if seconds else []
            return answered(401, {"error": "unauthorized"}, headers, text)
        message = "not found" if refusal.code == "NotFound" else refusal.message
        return answered(status_of(refusal.code), {"error": message}, headers_of(refusal), text)

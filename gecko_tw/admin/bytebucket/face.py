"""Whoever gives the key pair of an administrator in two headers; how ByteBucket tells refusals."""

from ipaddress import ip_address

from attrs import evolve, frozen

from gecko_tw.admin.bytebucket.storing import Storing
from gecko_tw.admin.row_face import RowFace, answered, headers_of, status_of
from gecko_tw.admin.rows import ADMIN, Asked, Row
from gecko_tw.callers.refusals import AccessDenied, InvalidAccessKeyId, WrongSecret
from gecko_tw.resources.answers.answer import Answer, Outcome
from gecko_tw.resources.call import Call
from gecko_tw.resources.gates.admission import admit_caller
from gecko_tw.resources.gates.identity_permits import permit_administration
from gecko_tw.resources.pipeline import Address, Face, serve
from gecko_tw.store.refusals import Refusal
from gecko_tw.wire.head import Head
from gecko_tw.wire.interfaces import IWireRequest

_STORE = b"/api/s3"
_KEY, _SECRET = b"x-admin-accesskey", b"x-admin-secret"

PRIVATE, ANY, OFF = "private", "any", "off"
"""From where secrets in headers are taken; where the face is not there at all."""


class NoAdmin(AccessDenied):
    """Missing admin credentials"""

    @property
    def code(self) -> str:
        return "AccessDenied"


class SecretInTheOpen(AccessDenied):
    """A secret in a header is taken over https, or from loopback and private addresses: --bytebucket-api=any takes it from everywhere."""

    @property
    def code(self) -> str:
        return "AccessDenied"


_UNAUTHORIZED = (NoAdmin, InvalidAccessKeyId, WrongSecret)
_SAID = {InvalidAccessKeyId: "User not found", WrongSecret: "Invalid admin secret"}


@frozen(eq=False)
class ByteBucketFace(RowFace):
    """The face.

    :ivar peers: one of PRIVATE and ANY.
    """

    peers: str = PRIVATE

    any_type = True

    @property
    def prefix(self) -> bytes:
        return b"/api/"

    def serve(self, request: IWireRequest) -> None:
        path = request.head.path
        if path == _STORE or path.startswith(_STORE + b"/"):
            serve(self.service, request, Address(ADMIN, face=Face(self._store, self._refuse_in_s3)))
        else:
            RowFace.serve(self, request)

    def admit(self, call: Call, row: Row) -> None:
        """Raises as Authenticator.authenticate_connection, NoAdmin, SecretInTheOpen, AccessDenied."""
        self._prove(call)
        if row.needs is not None:
            permit_administration(call, row.needs)

    def _prove(self, call: Call) -> None:
        """Only an administrator is let in: whom policies allow all of ``admin:*``."""
        # As the socket says: what a header tells of a proxy would be believed of everybody who reaches this listener without one.
        if self.peers == PRIVATE and not call.head.secure and not _is_near(call.head.address):
            raise SecretInTheOpen
        key, secret = call.header(_KEY), call.header(_SECRET)
        if not key or not secret:
            raise NoAdmin
        authenticator = self.service.authenticator
        proven = authenticator.authenticate_connection(_utf8(key), _utf8(secret))
        given = {name: value for name, value in call.head.headers.items() if name not in (_KEY, _SECRET)}
        call.head = _proven(call.head, given, proven)
        call.headers = given
        call.caller = authenticator.authenticate(call.head)
        if call.caller.identity is not None:
            admit_caller(call)
        try:
            permit_administration(call, "admin:*")
        except AccessDenied:
            raise NoAdmin("User does not have admin privileges") from None

    async def _store(self, call: Call) -> Outcome:
        self._prove(call)
        storing = Storing(Asked(ground=self.ground, call=call), call)
        return await storing.operate(call.head.path[len(_STORE) :] or b"/")

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """What it says, and no more."""
        text = f"{refusal.code}: {refusal.message}"
        unauthorized = isinstance(refusal, _UNAUTHORIZED)
        message = _SAID.get(type(refusal), refusal.message)
        status = 401 if unauthorized else status_of(refusal.code)
        return answered(status, {"error": message}, headers_of(refusal), text)

    def _refuse_in_s3(self, refusal: Refusal, call: Call) -> Answer:
        """Its code, too, where a request for objects is refused."""
        if isinstance(refusal, (*_UNAUTHORIZED, SecretInTheOpen)):
            return self.refuse(refusal, call)
        told = {"code": refusal.code, "message": refusal.message, "requestId": call.request_id}
        text = f"{refusal.code}: {refusal.message}"
        made = answered(status_of(refusal.code), told, headers_of(refusal), text)
        return evolve(made, body=b"") if call.head.method == "HEAD" else made


def _proven(head: Head, headers: dict[bytes, bytes], proven: object) -> Head:
    """The same without the secret, which nothing behind here needs to see."""
    return evolve(head, headers=headers, proven=proven)


def _utf8(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")


def _is_near(address: str) -> bool:
    """Whether a socket's other side is this machine, or in a network of one's own."""
    try:
        return not address or ip_address(address.partition("%")[0]).is_private
    except ValueError:
        return False

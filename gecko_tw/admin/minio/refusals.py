"""Refusals as ``mc`` shows them: JSON with the members of S3's error document, and the codes that MinIO's clients look for."""

import json

from gecko_tw.admin.minio.rows import MinioRow
from gecko_tw.admin.row_face import status_of
from gecko_tw.callers.refusals import NoSuchEntity
from gecko_tw.resources.answers.answer import Answer, Headers
from gecko_tw.resources.call import Call
from gecko_tw.store.refusals import Refusal

JSON = (b"Content-Type", b"application/json")

_STATUS = {
    "XMinioAdminConfigBadJSON": 400,
    "XMinioAdminGroupNotEmpty": 400,
    "XMinioAdminNoSuchGroup": 404,
    "XMinioAdminNoSuchPolicy": 404,
    "XMinioAdminNoSuchUser": 404,
    "XMinioAdminPolicyChangeAlreadyApplied": 400,
    "XMinioIAMPolicyInUse": 400,
    "XMinioInvalidIAMCredentials": 404,
}
"""Status number by code, of those that only MinIO's administration has."""


class Missing(Refusal):
    """What a row is about is not there.

    :ivar what: ``User``, ``Group`` or ``Policy``.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"The specified {what.lower()} does not exist")
        self.what = what

    @property
    def code(self) -> str:
        return f"XMinioAdminNoSuch{self.what}"


def named(row: MinioRow, refusal: Refusal) -> Refusal:
    """A refusal by the code that clients look for."""
    return Missing(row.missing) if row.missing and isinstance(refusal, NoSuchEntity) else refusal


def refuse(refusal: Refusal, call: Call) -> Answer:
    """The answer to a refused request."""
    code = refusal.code
    headers: Headers = [JSON]
    if code == "MethodNotAllowed":
        headers.append((b"Allow", refusal.details.get("Allow", "").encode()))
    if code == "SlowDown":
        headers.append((b"Retry-After", refusal.details.get("RetryAfterSeconds", "1").encode()))
    told = {
        "Code": code,
        "Message": refusal.message,
        "Resource": call.head.path.decode("latin-1"),
        "RequestId": call.request_id,
        "HostId": call.service.host_id,
    }
    status = _STATUS[code] if code in _STATUS else status_of(code)
    return Answer(status, headers, json.dumps(told).encode() + b"\n", f"{code}: {refusal.message}")

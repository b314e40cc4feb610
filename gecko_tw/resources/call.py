"""One request being answered: everything an operation may look at."""

from collections.abc import Mapping
from typing import Any, Protocol

from attrs import define, field, frozen

from gecko_tw.callers.access.acl import ANONYMOUS_ID
from gecko_tw.callers.accounts.identities import Caller
from gecko_tw.resources.dispatch.keys import as_text
from gecko_tw.resources.dispatch.operations import Operation
from gecko_tw.resources.service import Service
from gecko_tw.store.records import BucketRecord
from gecko_tw.wire.head import Head
from gecko_tw.wire.interfaces import IWireRequest

UNKNOWN = Caller(kind="")
"""Who asks, until that is known: nobody, who may nothing."""


class Asking(Protocol):
    """What deciding a permission needs of whoever asks: a Call, or one that is only supposed. Its members are those of a Call."""

    @property
    def caller(self) -> Caller: ...
    @property
    def service(self) -> Service: ...
    @property
    def query(self) -> Mapping[str, str]: ...
    @property
    def headers(self) -> Mapping[bytes, bytes]: ...
    @property
    def address(self) -> str: ...
    @property
    def secure(self) -> bool: ...
    def header(self, name: bytes) -> str | None: ...


@frozen(kw_only=True)
class Touched:
    """An object that a call was about beside the one it addressed: it has a line of its own.

    :ivar operation: AWS's name, e.g. ``BATCH.DELETE.OBJECT``.
    :ivar status: None when it went as the whole request did.
    """

    record: BucketRecord
    operation: str
    key: bytes
    version_id: str = ""
    status: int | None = None
    error: str = ""


@define(eq=False)
class Call:
    """What an operation gets.

    :ivar query: decoded query parameters, first value of each name; valueless names have ``""``.
    :ivar bucket: the addressed bucket's name, or ``""``.
    :ivar key: the addressed key, decoded exactly once, or ``b""``.
    :ivar operation: the row that answers; None until it is resolved.
    :ivar service: the stores, pools and settings of whoever answers.
    :ivar caller: who asks; ``UNKNOWN`` until that is known.
    :ivar headers: the request's headers, and those that a presigned URL carries in its query: what operations read.
    :ivar request_id: the unique ``x-amz-request-id``.
    :ivar record: the addressed bucket's record as it was when the caller was permitted; None when there is no such bucket.
    :ivar undecided: what the operation must still decide: no answer is sent before it is None.
    :ivar why: what differed when the caller failed to prove who asks, or empty.
    :ivar touched: objects that buckets with a server access log want to be told of, too.
    """

    request: IWireRequest
    head: Head
    query: Mapping[str, str]
    bucket: str
    key: bytes
    operation: Operation | None
    service: Service
    caller: Caller = UNKNOWN
    headers: Mapping[bytes, bytes] = field(factory=dict)
    request_id: str = ""
    record: BucketRecord | None = None
    undecided: Any = None  # a gates.circumstances.Ask, which holds a Call
    touched: list[Touched] | None = None
    why: str = ""

    def header(self, name: bytes) -> str | None:
        """One of ``headers`` as text, or None when absent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def upload_id(self) -> str:
        """The unfinished upload that is addressed."""
        return as_text(self.query["uploadId"])

    @property
    def address(self) -> str:
        """The client's address without its port; empty where a socket has none."""
        return self.head.address

    @property
    def secure(self) -> bool:
        """Whether the client used https."""
        return self.head.secure

    @property
    def owner(self) -> str:
        """The canonical id of what this call creates."""
        identity = self.caller.identity
        if identity is not None:
            return identity.account
        return self.service.owner if self.caller.kind == "open" else ANONYMOUS_ID

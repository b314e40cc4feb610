"""One request being answered: everything an operation may look at."""

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from gecko_tw.callers.access.acl import ANONYMOUS_ID
from gecko_tw.resources.dispatch.keys import as_text
from gecko_tw.resources.dispatch.operations import Operation
from gecko_tw.store.records import BucketRecord
from gecko_tw.wire.head import Head


@define(eq=False)
class Call:
    """What an operation gets.

    :ivar request: the gecko_tw.wire.interfaces.IWireRequest.
    :ivar query: decoded query parameters, first value of each name; valueless names have ``""``.
    :ivar bucket: the addressed bucket's name, or ``""``.
    :ivar key: the addressed key, decoded exactly once, or ``b""``.
    :ivar operation: the row that answers; None until it is resolved.
    :ivar service: the Service (stores, pools, settings) that answers.
    :ivar caller: the gecko_tw.callers.accounts.identities.Caller who asks.
    :ivar headers: the request's headers, and those that a presigned URL carries in its query: what operations read.
    :ivar request_id: the unique ``x-amz-request-id``.
    :ivar record: the addressed bucket's record as it was when the caller was permitted; None when there is no such bucket.
    :ivar undecided: the resources.circumstances.Ask that the operation must still decide: no answer is sent before it is None.
    :ivar touched: resources.server_log.Touched: objects that buckets with a server access log want to be told of, too.
    """

    request: Any
    head: Head
    query: Mapping[str, str]
    bucket: str
    key: bytes
    operation: Operation | None
    service: Any
    caller: Any = None
    headers: Mapping[bytes, bytes] = field(factory=dict)
    request_id: str = ""
    record: BucketRecord | None = None
    undecided: Any = None
    touched: list[Any] | None = None

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
        peer = self.head.peer
        return peer[1:].partition("]")[0] if peer[:1] == "[" else peer.partition(":")[0]

    @property
    def secure(self) -> bool:
        """Whether the client used https."""
        return self.head.secure

    @property
    def owner(self) -> str:
        """The canonical id of what this call creates."""
        identity = self.caller.identity
        if identity is not None:
            return identity.account  # type: ignore[no-any-return]
        return ANONYMOUS_ID if self.caller.kind == "anonymous" else self.service.owner

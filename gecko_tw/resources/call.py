"""One request being answered: everything an operation may look at."""

from collections.abc import Mapping
from typing import Any

from attrs import define

from gecko_tw.head import Head
from gecko_tw.resources.operations import Operation


@define(eq=False)
class Call:
    """What an operation gets.

    :ivar request: the gecko_tw.interfaces.IWireRequest.
    :ivar query: decoded query parameters, first value of each name; valueless names have ``""``.
    :ivar bucket: the addressed bucket's name, or ``""``.
    :ivar key: the addressed key, decoded exactly once, or ``b""``.
    :ivar caller: the gecko_tw.callers.identities.Caller who asks.
    :ivar service: the Service (stores, pools, settings) that answers.
    :ivar request_id: the unique ``x-amz-request-id``.
    """

    request: Any
    head: Head
    query: Mapping[str, str]
    bucket: str
    key: bytes
    operation: Operation
    service: Any
    caller: Any = None
    request_id: str = ""

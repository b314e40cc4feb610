"""The same operations by the native binary protocol, which has some of them."""

import itertools
import re
import socket

from gecko_tw.native import frames
from gecko_tw.native.frames import i32, mapping, numbers, string
from tests.end_to_end.daemon import Daemon
from tests.patience import PATIENCE

LISTENING = re.compile(r"listening on (?:tcp|tls)://\S+:(\d+) for the binary protocol")
OPERATIONS = {
    "CreateBucket": frames.CREATE_BUCKET,
    "DeleteBucket": frames.DELETE_BUCKET,
    "HeadBucket": frames.HEAD_BUCKET,
    "ListBuckets": frames.LIST_BUCKETS,
    "PutObject": frames.PUT_OBJECT,
    "GetObject": frames.GET_OBJECT,
    "HeadObject": frames.HEAD_OBJECT,
    "DeleteObject": frames.DELETE_OBJECT,
    "ListObjectsV2": frames.LIST_OBJECTS,
    "CreateMultipartUpload": frames.CREATE_UPLOAD,
    "UploadPart": frames.UPLOAD_PART,
    "CompleteMultipartUpload": frames.COMPLETE_UPLOAD,
    "AbortMultipartUpload": frames.ABORT_UPLOAD,
    "ListParts": frames.LIST_PARTS,
}
"""By the names of their rows."""

STATUS = {
    frames.OK: 200,
    frames.NOT_FOUND: 404,
    frames.CONFLICT: 409,
    frames.BAD_REQUEST: 400,
    frames.FORBIDDEN: 403,
    frames.INTERNAL: 500,
}
_numbers = itertools.count()


def native_port(daemon: Daemon) -> int:
    """Where a daemon serves the binary protocol since its last start."""
    return int(LISTENING.findall(daemon.log)[-1])


def request_of(row: str, bucket: str, key: str, upload: str) -> bytes:
    """The frame of an operation, as small as it can be."""
    operation, data = OPERATIONS[row], b""
    meta = b"" if row == "ListBuckets" else string(bucket)
    if operation >= frames.PUT_OBJECT and operation != frames.LIST_OBJECTS:
        meta += string(key)
    if operation in (frames.UPLOAD_PART, frames.COMPLETE_UPLOAD, frames.ABORT_UPLOAD, frames.LIST_PARTS):
        meta += string(upload)
    if row == "PutObject":
        meta, data = meta + string("") + mapping({}), b"new bytes"
    elif row == "ListObjectsV2":
        meta += string("") * 3 + i32(10)
    elif row == "CreateMultipartUpload":
        meta += string("")
    elif row == "UploadPart":
        meta, data = meta + i32(1), b"new part"
    elif row == "CompleteMultipartUpload":
        meta += numbers([9])
    return frames.frame(operation, meta, 0, len(data)) + data


class Line:
    """A connection that has proven who it is.

    :param apart: come from an address of its own: who fails to prove who it is waits longer and longer.
    :ivar welcome: the status of the handshake.
    """

    def __init__(self, port: int, pair: tuple[str, str], apart: bool = False) -> None:
        number = next(_numbers)
        source = (f"127.1.{number >> 8 & 255}.{number & 255}", 0) if apart else None
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE, source)
        self._bytes = self._socket.makefile("rb")
        self._socket.sendall(frames.greeting(*pair))
        self.welcome = frames.ANSWER.unpack(self._bytes.read(frames.ANSWER.size))[2]

    def ask(self, sent: bytes) -> tuple[int, bytes, bytes]:
        """Status, metadata and data of the reply."""
        self._socket.sendall(sent)
        status, _stream, meta, length = frames.HEADER.unpack(self._bytes.read(frames.HEADER.size))
        return status, self._bytes.read(meta), self._bytes.read(length)

    def close(self) -> None:
        self._bytes.close()
        self._socket.close()


def ask_once(port: int, pair: tuple[str, str], sent: bytes, apart: bool) -> tuple[int, bytes]:
    """Status and body that the same would have over HTTP, on a connection for this one request."""
    line = Line(port, pair, apart)
    try:
        if line.welcome != frames.WELCOME:
            return 403, b"<Code>InvalidAccessKeyId</Code>"
        status, meta, data = line.ask(sent)
        if status == frames.OK:
            return 200, data
        fields = frames.Fields(meta)
        _message, code = fields.text(), fields.text()
        return STATUS[status], f"<Code>{code}</Code>".encode()
    finally:
        line.close()

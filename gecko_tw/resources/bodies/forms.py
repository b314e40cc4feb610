"""multipart/form-data as browsers send it, decoded as the bytes come: fields first, then one file. Does no I/O.

Sources: RFC 7578; S3 API Reference, POST Object.
"""

import re
from collections.abc import Callable, Mapping

from attrs import frozen

from gecko_tw.resources.answers.refusals import MalformedPOSTRequest, MaxPostPreDataLengthExceededError
from gecko_tw.store.refusals import InvalidArgument

MAX_BEFORE_FILE = 20_000
"""Bytes of everything before the file."""

MAX_AFTER_FILE = 20_000
"""Bytes of what follows the file and is not looked at."""

_VARIABLE = "${filename}"
_PARAMETER = re.compile(r';\s*([^\s=;]+)\s*=\s*(?:"((?:\\"|[^"])*)"|([^\s;]*))')
_SEEKING, _LINE, _HEAD, _FIELD, _FILE, _ENDED = range(6)


@frozen
class Fields:
    """What came before the file's bytes.

    :ivar values: by lower-case name.
    :ivar filename: the file's own name, without folders; empty when it has none.
    :ivar content_type: of the file's part, or empty.
    """

    values: Mapping[str, str]
    filename: str
    content_type: str

    def expanded(self) -> dict[str, str]:
        """The values with the file's name in the place of ``${filename}``, which stays where the file has none.

        :raises MaxPostPreDataLengthExceededError: they become larger than they might have come.
        """
        values = dict(self.values)
        if self.filename:
            found = [name for name, value in values.items() if _VARIABLE in value]
            if sum(values[name].count(_VARIABLE) for name in found) * len(self.filename) > MAX_BEFORE_FILE:
                raise MaxPostPreDataLengthExceededError
            for name in found:
                values[name] = values[name].replace(_VARIABLE, self.filename)
        return values


def boundary_of(content_type: str) -> bytes | None:
    """The boundary that a Content-Type header gives, or None when it is not that of a form."""
    if content_type.partition(";")[0].strip().lower() != "multipart/form-data":
        return None
    boundary = _parameters(content_type).get("boundary", "")
    return boundary.encode("latin-1") if 1 <= len(boundary) <= 200 else None


def _parameters(header: str) -> dict[str, str]:
    return {
        name.lower(): plain or quoted.replace('\\"', '"').replace("\\\\", "\\")
        for name, quoted, plain in _PARAMETER.findall(header)
    }


class FormDecoder:
    """Decodes one form.

    :param begin: called with the Fields once the file begins; what it raises ends the decoding.
    """

    trailers: Mapping[str, str] = {}

    def __init__(self, boundary: bytes, begin: Callable[[Fields], None]) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._begin = begin
        self._state = _SEEKING
        self._buffer = bytearray(b"\r\n")
        self._fields: dict[str, str] = {}
        self._name = ""
        self._before = self._after = 0

    def feed(self, data: bytes | memoryview) -> list[bytes | memoryview]:
        """The file's bytes found in the next bytes of the body; may be empty.

        :raises MalformedPOSTRequest: it is no form.
        :raises MaxPostPreDataLengthExceededError: the fields are too large.
        """
        found: list[bytes | memoryview] = []
        if self._state == _ENDED:
            self._skip(len(data))
            return found
        if self._state != _FILE:
            self._before += len(data)
        self._buffer += data
        steps = {_SEEKING: self._seek, _LINE: self._line, _HEAD: self._head, _FIELD: self._field}
        while True:
            state = self._state
            if state == _FILE:
                piece = self._file()
                if piece:
                    found.append(piece)
            elif state != _ENDED:
                steps[state]()
            if self._state == state:
                break
        if self._state not in (_FILE, _ENDED) and self._before > MAX_BEFORE_FILE:
            raise MaxPostPreDataLengthExceededError
        return found

    def finish(self) -> None:
        """The body has ended. Raises MalformedPOSTRequest, or InvalidArgument when there was no file."""
        if self._state == _ENDED:
            return
        if self._state == _LINE and self._buffer.startswith(b"--"):
            raise InvalidArgument("POST requires exactly one file upload per request.", ArgumentName="file")
        raise MalformedPOSTRequest

    def _skip(self, size: int) -> None:
        self._after += size
        if self._after > MAX_AFTER_FILE:
            raise MalformedPOSTRequest

    def _until(self, mark: bytes) -> bytes | None:
        """Takes what is before a mark, and the mark, out of the buffer; None when the mark has not come."""
        at = self._buffer.find(mark)
        if at < 0:
            return None
        taken = bytes(self._buffer[:at])
        del self._buffer[: at + len(mark)]
        return taken

    def _seek(self) -> None:
        if self._until(self._delimiter) is not None:
            self._state = _LINE

    def _line(self) -> None:
        """The rest of a delimiter's line: nothing, or the two dashes that end the form."""
        if self._buffer.startswith(b"--"):
            return
        rest = self._until(b"\r\n")
        if rest is not None:
            if rest.strip(b" \t"):
                raise MalformedPOSTRequest
            self._buffer[:0] = b"\r\n"
            self._state = _HEAD

    def _head(self) -> None:
        block = self._until(b"\r\n\r\n")
        if block is None:
            return
        try:
            lines = [line.partition(":") for line in block.decode("utf-8").split("\r\n") if line]
        except UnicodeDecodeError:
            raise MalformedPOSTRequest from None
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        parameters = _parameters(headers.get("content-disposition", ""))
        self._name = parameters.get("name", "").lower()
        if not self._name:
            raise MalformedPOSTRequest
        if self._name != "file":
            self._state = _FIELD
            return
        filename = re.split(r"[/\\]", parameters.get("filename", ""))[-1]
        self._before -= len(self._buffer)
        if self._before > MAX_BEFORE_FILE:
            raise MaxPostPreDataLengthExceededError
        self._begin(Fields(self._fields, filename, headers.get("content-type", "")))
        self._state = _FILE

    def _field(self) -> None:
        value = self._until(self._delimiter)
        if value is None:
            return
        if self._name in self._fields:
            raise MalformedPOSTRequest(f"The form has the field {self._name!r} twice.")
        try:
            self._fields[self._name] = value.decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedPOSTRequest from None
        self._state = _LINE

    def _file(self) -> bytes:
        """The bytes that are surely the file's: those that cannot be the beginning of a delimiter."""
        piece = self._until(self._delimiter)
        if piece is not None:
            self._state = _ENDED
            self._skip(len(self._buffer))
            self._buffer.clear()
            return piece
        sure = len(self._buffer) - len(self._delimiter) + 1
        if sure <= 0:
            return b""
        piece = bytes(self._buffer[:sure])
        del self._buffer[:sure]
        return piece

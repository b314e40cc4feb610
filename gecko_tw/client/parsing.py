"""botocore's parsers, with one kind of failure for whatever a server writes wrongly."""

from typing import Any

from botocore.parsers import ResponseParserError, ResponseParserFactory

_BROKEN = (ArithmeticError, AttributeError, LookupError, ResponseParserError, RuntimeError, TypeError, ValueError)
"""What botocore's parsers raise for times, numbers and documents that are none; one that is nested too deeply is a RuntimeError."""


class Parsers(ResponseParserFactory):  # type: ignore[misc]  # botocore has no types
    """Makes parsers, as a session of botocore's wants them: its component ``response_parser_factory``."""

    def create_parser(self, protocol_name: str) -> "_Parser":
        return _Parser(super().create_parser(protocol_name))


class _Parser:
    """A parser.

    :param inner: botocore's, whose answers are dicts of Any.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def parse(self, response: dict[str, Any], shape: Any) -> Any:
        """An answer as its shape describes it. The body of one that cannot be read is given up, with its connection.

        :raises ResponseParserError: it is not as the shape says.
        """
        try:
            return self._inner.parse(response, shape)
        except _BROKEN as broken:
            body = response["body"]
            if not isinstance(body, bytes):
                body.close()
            raise ResponseParserError(str(broken)) from broken

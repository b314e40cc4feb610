"""The events of SelectObjectContent, as they come."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from gecko_tw.client.downloads import Body
from gecko_tw.client.pausing import run


class Events:
    """Events of an answer, once, by ``async for``. What they are is botocore's parser's: dicts of Any.

    :param stream: an EventStream of botocore's.
    :param body: what it reads.
    """

    def __init__(self, stream: Any, body: Body) -> None:
        self._stream, self._body = stream, body

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        events = iter(self._stream)
        try:
            while (event := await run(next, events, None)) is not None:
                yield event
        finally:
            self.close()

    def when_free(self, free: Callable[[], object]) -> None:
        """Has something called when all was read or given up."""
        self._body.when_free(free)

    def close(self) -> None:
        """Gives up what was not read."""
        self._body.close()

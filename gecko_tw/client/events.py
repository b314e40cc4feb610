"""The events of SelectObjectContent, as they come."""

from collections.abc import AsyncIterator
from typing import Any

from gecko_tw.client.pausing import run


class Events:
    """Events of an answer, once, by ``async for``. What they are is botocore's parser's: dicts of Any.

    :param stream: an EventStream of botocore's.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        events = iter(self._stream)
        try:
            while (event := await run(next, events, None)) is not None:
                yield event
        finally:
            self.close()

    def close(self) -> None:
        """Gives up what was not read."""
        self._stream.close()

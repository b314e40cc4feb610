"""How many answers that never end a process sends at a time."""

from typing import Any

from attrs import define

from gecko_tw.admin.refusals import TooManyStreams
from gecko_tw.resources.answers.streaming import Stream

MOST = 64
"""Streams that a process sends at a time: each looks at all requests twice a second."""


@define(eq=False)
class Streams:
    """The streams of a process: so many and no more."""

    count: int = 0

    def begin(self, look: Any, **how: Any) -> Stream:  # Any: as to a Stream
        """Another Stream, which is to be sent. Raises TooManyStreams."""
        if self.count >= MOST:
            raise TooManyStreams(f"This process sends {MOST} live streams already: end one, or ask again later.")
        self.count += 1
        return Stream(look, **how, ended=self._ended)

    async def _ended(self) -> None:
        self.count -= 1

"""An answer that never ends: events as they come, each a line of JSON (HTML Living Standard, "Server-sent events")."""

import json
from collections.abc import Callable, Iterable

from attrs import define
from twisted.internet.task import deferLater

from gecko_tw.admin.refusals import TooManyStreams
from gecko_tw.resources.answers.answer import Headers
from gecko_tw.resources.call import Call
from gecko_tw.store.records import Json

EVENTS = b"text/event-stream"
"""The media type of such an answer."""

PAUSE = 0.5
"""Seconds between two looks."""

SILENCE = 15.0
"""Seconds after which a comment is sent, so that no proxy takes the connection for dead."""

BEHIND_TIMEOUT = 60.0
"""Seconds that a client may lag behind; what comes meanwhile it misses."""


MOST = 64
"""Streams that a process sends at a time: each looks at all requests twice a second."""


@define(eq=False)
class Streams:
    """The streams of a process: so many and no more."""

    count: int = 0

    def begin(self, look: Callable[[], Iterable[Json]]) -> "Stream":
        """Another one, which is to be sent. Raises TooManyStreams."""
        if self.count >= MOST:
            raise TooManyStreams(f"This process sends {MOST} live streams already: end one, or ask again later.")
        self.count += 1
        return Stream(look, self)


@define(eq=False)
class Stream:
    """Sends what ``look`` finds, until the client leaves or this process ends.

    :ivar look: called again and again: what is new, as JSON.
    :ivar among: counts it until it ends.
    """

    look: Callable[[], Iterable[Json]]
    among: Streams
    status: int = 200
    error: str = ""

    async def send(self, call: Call, more: Headers) -> int:
        """As an Outcome."""
        try:
            return await self._send(call, more)
        finally:
            self.among.count -= 1

    async def _send(self, call: Call, more: Headers) -> int:
        headers = [*more, (b"Content-Type", EVENTS), (b"Cache-Control", b"no-store")]
        write, finish = call.request.answer_slowly(200, headers)
        write(b": begins\n\n")
        sent, silent, behind = 0, 0.0, 0.0
        while not call.request.leaving:
            await deferLater(call.service.clock, PAUSE)
            found = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in self.look())
            silent, behind = silent + PAUSE, behind + PAUSE if call.request.behind else 0.0
            if behind > BEHIND_TIMEOUT:
                call.request.abort()
                return sent
            if call.request.behind:
                continue
            if not found and silent >= SILENCE:
                found = b": nothing new\n\n"
            if found:
                write(found)
                sent, silent = sent + len(found), 0.0
        finish(None)
        return sent

"""An answer that never ends: events as they come, each a line of JSON (HTML Living Standard, "Server-sent events")."""

import json
from collections.abc import Awaitable, Callable, Iterable

from attrs import define
from twisted.internet.task import deferLater

from gecko_tw.resources.answers.answer import Headers
from gecko_tw.resources.call import Call
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import Refusal

EVENTS = b"text/event-stream"
"""The media type of such an answer."""

PAUSE = 0.5
"""Seconds between two looks."""

SILENCE = 15.0
"""Seconds after which a comment is sent, so that no proxy takes the connection for dead."""

BEHIND_TIMEOUT = 60.0
"""Seconds that a client may lag behind; what comes meanwhile it misses."""


def _event(one: Json) -> bytes:
    return b"data: " + json.dumps(one).encode() + b"\n\n"


async def _nothing() -> None:
    """Nothing need be done."""


@define(eq=False)
class Stream:
    """Sends what ``look`` finds, until the client leaves or this process ends.

    :ivar look: called again and again: what is new, as JSON. What it refuses ends the answer.
    :ivar media: the media type.
    :ivar write: one of what is new, as it is sent.
    :ivar silence: seconds without anything new after which ``idle`` is sent: only so it is noticed that a client is gone.
    :ivar begins: what is sent first, as ``idle`` is; whoever reads passes over both.
    :ivar ended: called when nothing is sent any more.
    """

    look: Callable[[], Awaitable[Iterable[Json]]]
    media: bytes = EVENTS
    write: Callable[[Json], bytes] = _event
    silence: float = SILENCE
    begins: bytes = b": begins\n\n"
    idle: bytes = b": nothing new\n\n"
    ended: Callable[[], Awaitable[object]] = _nothing
    status: int = 200
    error: str = ""

    async def send(self, call: Call, more: Headers) -> int:
        """As an Outcome."""
        headers = [*more, (b"Content-Type", self.media), (b"Cache-Control", b"no-store")]
        write, finish = call.request.answer_slowly(200, headers)
        try:
            return await self._send(call, write, finish)
        finally:
            await self.ended()

    async def _send(self, call: Call, write: Callable[[bytes], None], finish: Callable[[None], None]) -> int:
        if self.begins:
            write(self.begins)
        sent, silent, behind = 0, 0.0, 0.0
        while not call.request.leaving:
            await deferLater(call.service.clock, PAUSE)
            try:
                found = b"".join([self.write(one) for one in await self.look()])
            except Refusal as refusal:
                self.error = f"{refusal.code}: {refusal.message}"
                call.request.abort()
                return sent
            silent, behind = silent + PAUSE, behind + PAUSE if call.request.behind else 0.0
            if behind > BEHIND_TIMEOUT:
                call.request.abort()
                return sent
            if call.request.behind:
                continue
            if not found and silent >= self.silence:
                found = self.idle
            if found:
                write(found)
                sent, silent = sent + len(found), 0.0
        finish(None)
        return sent

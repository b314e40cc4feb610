"""Work that may take longer than a client waits: answered at once when it is quick, kept alive with white space when it is not."""

from collections.abc import Callable
from typing import Generic, TypeVar

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from gecko_tw.pools import Shielded
from gecko_tw.resources.answers.answer import XML, Answer, Headers, error_document
from gecko_tw.resources.call import Call
from gecko_tw.resources.documents.markup import DECLARATION
from gecko_tw.store.refusals import Refusal

T = TypeVar("T")

KEEP_ALIVE_INTERVAL = 5.0
"""Seconds that the work may take before its answer begins, and between the bytes of white space after that."""


@define(eq=False)
class Slow(Generic[T]):
    """An answer that is not known yet: 200, white space while the client waits, and then the document, an error's perhaps.

    Source: S3 API Reference, CompleteMultipartUpload and CopyObject.

    :ivar outcome: what the document tells of; not cancellable.
    :ivar describe: the answer of a success, from the outcome's result; only its document can still be sent.
    """

    outcome: Deferred[T]
    describe: Callable[[T], Answer]
    status: int = 200
    error: str = ""

    async def send(self, call: Call, more: Headers) -> int:
        """As :meth:`Answer.send`."""
        write, finish = call.request.answer_slowly(200, [*more, XML])
        clock = call.service.clock
        sent = len(DECLARATION)
        beat: IDelayedCall
        write(DECLARATION)

        def keep_alive() -> None:
            nonlocal beat, sent
            write(b" ")
            sent += 1
            beat = clock.callLater(KEEP_ALIVE_INTERVAL, keep_alive)

        beat = clock.callLater(KEEP_ALIVE_INTERVAL, keep_alive)
        try:
            told = self.describe(await self.outcome)
            body, about = told.body, told.about
        except Refusal as refusal:
            self.error = f"{refusal.code}: {refusal.message}"
            body, about = error_document(refusal, call), refusal
        finally:
            beat.cancel()
        body = body.removeprefix(DECLARATION)
        write(body)
        finish(about)
        return sent + len(body)


async def eventually(call: Call, outcome: Deferred[T], describe: Callable[[T], Answer]) -> "Answer | Slow[T]":
    """The answer of a long work: an ordinary one when it ends soon.

    :param outcome: as from ``Service.begin``: not cancellable.
    """
    kept: Shielded[T] = Shielded()
    if await _ends_within(outcome, kept, call.service.clock):
        return describe(await kept)
    return Slow(kept, describe)


def _ends_within(outcome: Deferred[T], kept: Deferred[T], clock: IReactorTime) -> Deferred[bool]:
    """Fires with whether ``outcome`` ended, well or not, within KEEP_ALIVE_INTERVAL; its result goes on into ``kept``.

    A Deferred cannot be awaited by what one of its own callbacks wakes up: hence the second one.
    """
    ended: Shielded[bool] = Shielded()

    def end(result: T | Failure) -> None:
        kept.callback(result)
        if not ended.called:
            timer.cancel()
            ended.callback(True)

    timer = clock.callLater(KEEP_ALIVE_INTERVAL, ended.callback, False)
    outcome.addBoth(end)
    return ended

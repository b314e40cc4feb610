"""botocore, which blocks, as something to be awaited: it runs in a greenlet, and where it would block the greenlet pauses.

What botocore calls returns, and what is waited for brings, whatever it likes: Any.
"""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from greenlet import getcurrent, greenlet
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

P = ParamSpec("P")
T = TypeVar("T")


class _Call(greenlet):
    """One call of something that waits by :func:`wait`."""


def wait(deferred: Deferred[Any]) -> Any:
    """Pauses until a Deferred fires, and returns its result or raises its exception; only for code that :func:`run` runs."""
    parent = getcurrent().parent
    assert parent is not None, "only what run() runs can wait"
    return parent.switch(deferred)


async def run(function: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Calls a function that waits by :func:`wait`; what it waits for is cancelled when this is.

    :raises: what the function raises.
    """
    call = _Call(function, getcurrent())
    outcome = call.switch(*arguments, **named)
    while not call.dead:
        (told,) = await outcome.addBoth(lambda result: (result,))
        call.parent = getcurrent()  # who goes on need not be who began
        outcome = call.throw(_exception(told)) if isinstance(told, Failure) else call.switch(told)
    result: T = outcome
    return result


def leaving(shielded: Deferred[T], undo: Callable[[T], object] | None = None) -> Deferred[T]:
    """The result of something that cannot be cancelled, for somebody who can be.

    :param undo: is given a result that nobody waits for any more.
    """
    left: Deferred[T] = Deferred()

    def told(result: T | Failure) -> None:
        if not left.called:
            left.callback(result)
        elif undo is not None and not isinstance(result, Failure):
            undo(result)

    shielded.addBoth(told)
    return left


def _exception(failure: Failure) -> BaseException:
    assert failure.value is not None
    return failure.value


def deferred(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Deferred[T]]:
    """A coroutine function as one that returns a Deferred: awaited, gathered, cancelled, or given callbacks."""

    @wraps(function)
    def begun(*arguments: P.args, **named: P.kwargs) -> Deferred[T]:
        return Deferred.fromCoroutine(function(*arguments, **named))

    return begun

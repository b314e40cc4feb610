"""Work in forked children of this process, which is warm: nothing is imported twice, and nothing of a driver lives in the parent."""

import gc
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from attrs import frozen


@frozen
class End:
    """How a child ended.

    :ivar killed: by SIGKILL.
    :ivar acknowledged: whether it told its result before it ended.
    """

    killed: bool
    acknowledged: bool
    result: Any = None


Child = tuple[int, int]
"""A child's process id, and the descriptor that its word comes from."""


class ChildFailed(AssertionError):
    """The child raised; the message is its traceback."""


def start(work: Callable[[Callable[[Any], None]], None]) -> Child:
    """Forks a child that calls ``work(acknowledge)``."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    gc.disable()  # it would only copy the parent's pages
    sys.settrace(None)  # who measures coverage is not told by a child, which never exits in order
    threading.settrace(None)  # type: ignore[arg-type]
    real_write, real_exit = os.write, os._exit
    try:
        os.close(reading)

        def acknowledge(result: Any) -> None:
            real_write(writing, b"A" + pickle.dumps(result))

        work(acknowledge)
    except BaseException:
        with suppress(OSError):  # nobody listens any more
            real_write(writing, b"E" + traceback.format_exc().encode())
    finally:
        real_exit(0)  # else a second pytest would go on from here
    raise AssertionError("unreachable")


def finish(child: int, reading: int) -> End:
    """Waits for a child, and kills it when the waiting is cut short.

    :raises ChildFailed: when it raised.
    """
    try:
        with open(reading, "rb") as words:
            said = words.read()
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
    if said[:1] == b"E":
        raise ChildFailed(said[1:].decode())
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    result = pickle.loads(said[1:]) if said else None
    return End(killed, said[:1] == b"A", result)


def at_each_stop(child: int, look: Callable[[], None]) -> None:
    """Calls ``look()`` each time that a child has stopped itself, and lets it go on, until it ends. Then ``finish`` it."""
    try:
        while os.waitid(os.P_PID, child, os.WSTOPPED | os.WEXITED | os.WNOWAIT).si_code == os.CLD_STOPPED:
            look()
            os.kill(child, signal.SIGCONT)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise


def looking(work: Callable[..., Any], *arguments: Any) -> Child:
    """Forks a child that tells the result of ``work(*arguments)``."""
    return start(lambda acknowledge: acknowledge(work(*arguments)))


def in_child(work: Callable[..., Any], *arguments: Any) -> Any:
    """The result of ``work(*arguments)``, done by a child."""
    end = finish(*looking(work, *arguments))
    assert end.acknowledged
    return end.result


def die() -> None:
    """Ends this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)

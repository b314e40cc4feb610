"""Named pools of threads as services: the Deferred face of blocking code."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, ParamSpec, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.python.failure import Failure
from zope.interface import Interface, implementer

P = ParamSpec("P")
T = TypeVar("T")

# A queue holds work of every type; `run`, which puts it there, says that its result is what the Deferred fires with.
_Job = tuple["Deferred[Any]", Callable[..., Any], tuple[Any, ...], dict[str, Any]]
RunBatch = Callable[[Sequence[Callable[[], Any]]], list[Any]]
"""``ICatalog.together``: calls callables of whatever type, which do not raise, and returns their results."""

MOST_TOGETHER = 32
"""So many are done at once: nobody is told before all of them are done."""


class Shielded(Deferred[T]):
    """A Deferred that cannot be cancelled: work in a thread goes on anyway, and whoever waits must see it end."""

    def cancel(self) -> None:
        """The client may have left; what was begun is finished all the same."""


class IPool(Interface):
    """A named pool of threads."""

    def run(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Shielded[T]:
        """Calls ``function`` in a thread of the pool; a Deferred of its result or its exception."""


@implementer(IPool)
class Pool(Service):
    """A pool of threads with a name.

    Twisted's own pool costs several locks and a wake-up of the reactor for each call; here results that come while the reactor is
    busy are fetched together.

    :param reactor: where the Deferreds fire.
    :param name: shown in thread names.
    :param threads: how many at most; they are started when needed.
    :param patience: seconds that work waits for what was begun before it; 0 for not at all. What takes longer goes on beside what
        comes after it. Threads that call into C for every row hand the interpreter's lock to and fro when they work side by side.
    :ivar outstanding: how many calls were asked for and are not told yet.
    :ivar together: does what waits at once for a thread; None for one after the other.
    """

    def __init__(self, reactor: IReactorFromThreads, name: str, threads: int, patience: float = 0.0) -> None:
        self.setName(name)
        self._patience = patience
        self._turn = Lock()
        self._reactor = reactor
        self._most = threads
        self._threads: list[Thread] = []
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._outcomes: deque[tuple[Deferred[Any], Any]] = deque()
        self.outstanding = 0
        self._told = False
        self.together: RunBatch | None = None

    def stopService(self) -> None:
        """Waits for what the threads are doing. What has not begun is done first."""
        super().stopService()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []

    def run(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Shielded[T]:
        waiting: Shielded[T] = Shielded()
        self.outstanding += 1
        self._jobs.put((waiting, function, arguments, named))
        if self.outstanding > len(self._threads) < self._most:
            thread = Thread(target=self._work, name=f"{self.name}-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return waiting

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs = [job] if self.together is None else [job, *self._further()]
            turn = self._wait()
            self._outcomes.extend(_outcomes(jobs, self.together))
            if turn is not None:
                turn.release()
            del job, jobs  # or an idle thread would keep a body alive
            if not self._told:
                self._told = True
                self._reactor.callFromThread(self._deliver)

    def _further(self) -> Iterator[_Job]:
        """What waits already."""
        for _ in range(MOST_TOGETHER - 1):
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return
            if job is None:  # the end of some thread, perhaps of another one
                self._jobs.put(None)
                return
            yield job

    def _wait(self) -> "Lock | None":
        """Waits for a turn, and returns it, to be released; None where nobody waits."""
        if not self._patience:
            return None
        turn = self._turn
        if not turn.acquire(timeout=self._patience):
            turn = self._turn = Lock()  # one wait is enough: those who come now need not wait for the same work
            turn.acquire()
        return turn

    def _deliver(self) -> None:
        self._told = False  # before looking: who adds an outcome from now on tells again
        while self._outcomes:
            waiting, outcome = self._outcomes.popleft()
            self.outstanding -= 1
            waiting.callback(outcome)  # a Failure goes on as a failure


class Lane(Pool):
    """A thread for work that takes long and that nobody waits for: it stands back while other pools have work.

    Its work calls :meth:`rest` between small steps, and ends when that says so.

    :param others: pools whose work goes first.
    """

    def __init__(self, reactor: IReactorFromThreads, name: str, others: Sequence[Pool]) -> None:
        super().__init__(reactor, name, 1)
        self._others = others
        self._leaving = Event()

    def startService(self) -> None:
        self._leaving.clear()
        super().startService()

    def stopService(self) -> None:
        self._leaving.set()
        super().stopService()

    def rest(self, seconds: float) -> bool:
        """Waits so many seconds, and then while others have work, but not for ever; whether to end now. Called in the thread."""
        if seconds > 0:
            self._leaving.wait(seconds)
        for _ in range(MOST_STEPS_BACK):
            if self._leaving.is_set() or not any(pool.outstanding for pool in self._others):
                break
            self._leaving.wait(STEP_BACK)
        return self._leaving.is_set()


STEP_BACK, MOST_STEPS_BACK = 0.002, 50
"""Seconds that a Lane waits for others before it looks again, and how often: under a load that never ends it must not starve."""

SLOW = 0.02
"""Seconds that work may take in the reactor's thread; after more, threads do all of it for a while."""

PAUSE = 1.0
"""Seconds that this while lasts."""


@implementer(IPool)
class InlineFirstPool:
    """A pool for work that hardly ever waits for anything: it is done in the reactor's thread, as long as that goes quickly.

    What is asked for in one turn of the reactor is done together at its end. To hand a small commit to a thread and to fetch its
    outcome takes half as long as the commit itself, because the interpreter's lock changes hands at every system call
    (docs/decisions/0016-small-commits-at-once.md).

    :param reactor: an IReactorTime.
    :param pool: does the work while it does not go quickly.
    :param together: does what was asked for in one turn.
    :param free: whether work could begin now without waiting.
    :param clock: seconds, of any beginning.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        pool: IPool,
        together: RunBatch,
        free: Callable[[], bool],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._reactor = reactor
        self._pool = pool
        self._together = together
        self._free = free
        self._clock = clock
        self._until = 0.0
        self._jobs: list[_Job] = []

    def run(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Shielded[T]:
        if self._clock() < self._until:
            return self._pool.run(function, *arguments, **named)
        waiting: Shielded[T] = Shielded()
        self._jobs.append((waiting, function, arguments, named))
        if len(self._jobs) == 1:
            self._reactor.callLater(0, self._work)
        return waiting

    def _work(self) -> None:
        jobs, self._jobs = self._jobs[:MOST_TOGETHER], self._jobs[MOST_TOGETHER:]
        if self._jobs:
            self._reactor.callLater(0, self._work)
        if not self._free():
            for waiting, function, arguments, named in jobs:
                self._pool.run(function, *arguments, **named).addBoth(waiting.callback)
            return
        begin = self._clock()
        outcomes = _outcomes(jobs, self._together)
        end = self._clock()
        if end - begin > SLOW:
            self._until = end + PAUSE
        for waiting, outcome in outcomes:
            waiting.callback(outcome)  # a Failure goes on as a failure


def _outcomes(jobs: list[_Job], together: RunBatch | None) -> Iterable[tuple["Deferred[Any]", Any]]:
    """Works off jobs; returns who waits for each, and its result or failure."""
    works = [partial(_outcome, function, *arguments, **named) for _, function, arguments, named in jobs]
    return zip((job[0] for job in jobs), _results(works, together), strict=True)


def _results(works: Sequence[Callable[[], Any]], together: RunBatch | None) -> list[Any]:
    """What works that do not raise return."""
    results = [work() for work in works] if together is None else _outcome(together, works)
    return [results] * len(works) if isinstance(results, Failure) else results


def all_of(works: Iterable[Callable[[], T]], together: RunBatch) -> list[T]:
    """The results of callables, of which some are called together. Blocks.

    :raises: what the first of them raises that raises anything, when those called with it have ended; the others are not called.
    """
    results: list[T] = []
    guarded = (partial(_outcome, work) for work in works)
    while some := list(islice(guarded, MOST_TOGETHER)):
        for result in _results(some, together):
            if isinstance(result, Failure):
                result.raiseException()
            results.append(result)
    return results


def _outcome(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What a function returns, or its failure."""
    try:
        return function(*arguments, **named)
    except BaseException:  # whoever waits must hear of it, whatever it is
        return Failure()

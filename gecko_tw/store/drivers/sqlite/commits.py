"""Group commit: steps that arrive together share one transaction, and so the waiting for the disk.

There is no thread for it: whoever arrives first leads, runs everything queued in one transaction and wakes the others.
Between processes a lock file hands the turn on at once, where SQLite by itself would sleep and try again.
"""

import errno
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Container, Iterable
from typing import Any, TypeVar

from gecko_tw.store.drivers.batching import Flush, flush_all, run_batch, share
from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.drivers.sqlite.journal import Journal, Note
from gecko_tw.store.drivers.sqlite.stamped_cache import StampedCache
from gecko_tw.store.drivers.sqlite.undo import ADD_UNDO, Former, undo_row
from gecko_tw.store.refusals import InsufficientStorage

T = TypeVar("T")

log = logging.getLogger(__name__)

LARGEST_BATCH = 32
MOST_BUCKETS = 10_000
"""Buckets that a process remembers."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
PAUSE = 1.0
"""Seconds until what an error of the disk has kept from being put back is tried again."""


class NotReconciled(OSError):
    """An error of the disk still keeps the files of a key from being brought in line with its rows."""

    def __init__(self, bucket: str, key: bytes) -> None:
        super().__init__(errno.EIO, f"what a cut step has left of {bucket}/{key!r} could not be put back yet")


class Taken(Exception):  # noqa: N818 - a signal, not an error
    """The key is being changed by another step of the same transaction: this one must be in the next."""


class Transaction:
    """What a step works with.

    :param durable: whether what is committed is on the disk: then nothing need be taken back after a power failure.
    :param follows: whether steps that came before may have to be taken back: then this one must be, too, whatever it changes.

    :ivar execute: SQL.
    :ivar outdate: Counters.outdate, to be called before a row of a key is changed.
    :ivar touched: the directories whose entries were changed, to be added to.
    :ivar useless: names of ours that no row needs once the step is committed, to be added to.
    :ivar replaced: names in staging of the files that the step has taken from their paths, to be added to.
    :ivar former: how to take the step's rows back, or None.
    :ivar last: the number of the last record in the undo log, or 0 when there is no new one.
    """

    __slots__ = (
        *("_claimed", "_note", "_step", "durable", "execute", "former", "last", "outdate"),
        *("replaced", "touched", "useless", "stale", "follows"),
    )

    def __init__(
        self,
        connection: sqlite3.Connection,
        note: Callable[..., None],
        outdate: Callable[[int], None],
        durable: bool = False,
        stale: Container[tuple[str, bytes]] = (),
        follows: bool = False,
    ) -> None:
        self.execute = connection.execute
        self.outdate = outdate
        self.durable = durable
        self.follows = follows
        self.stale = stale
        self.touched: set[bytes] = set()
        self.useless: set[str] = set()
        self.replaced: set[str] = set()
        self.former: Former | None = None
        self.last = 0
        self._note = note
        self._step = 0
        self._claimed: dict[tuple[str, bytes], int] = {}

    def intend(self, bucket: str, key: bytes, *marks: str) -> None:
        """As Journal.note, to be called before each change of a file of the key's. Raises Taken.

        :param marks: what is about to happen: see :class:`gecko_tw.store.drivers.sqlite.journal.Mark`.
        """
        self.claim(bucket, key)
        self._note(bucket, key, " ".join(marks).encode())

    def claim(self, bucket: str, key: bytes) -> None:
        """Makes sure that no other step of the transaction changes a key. To be called before its rows are changed.

        :raises Taken: one has. Files move with every step, rows once for all of them: when that is cut short, a key's files can be
            understood only if its rows are those from before the one step that moved them.
        :raises NotReconciled: what an earlier step has left of the key could not be put back yet.
        """
        if (bucket, key) in self.stale:
            raise NotReconciled(bucket, key)
        if self._claimed.setdefault((bucket, key), self._step) != self._step:
            raise Taken

    def done(self) -> None:
        """A step has come to its end: what it did goes to the undo log."""
        if self.useless or self.replaced or self.former is not None:
            former = None if self.durable else self.former
            found = self.execute(ADD_UNDO, undo_row(former, self.useless, self.replaced))
            self.last = found.lastrowid or self.last
            self.follows = not self.durable

    def turn(self) -> None:
        """The next step comes."""
        self._step += 1
        self.former = None
        if self.useless:
            self.useless = set()
        if self.replaced:
            self.replaced = set()


class _Waiting:
    """A step in the queue.

    :ivar error: what is to be raised where the step was asked for.
    """

    __slots__ = ("step", "result", "error", "wake", "leads")

    def __init__(self, step: Callable[[Transaction], Any]) -> None:
        self.step = step
        self.result: Any = None
        self.error: BaseException | None = None
        self.wake: threading.Lock | None = None
        self.leads = False


_AFTERWARDS = (OSError, sqlite3.Error, InsufficientStorage)
"""What goes wrong behind a commit, which no error takes back any more: what it keeps from being done the next step finds."""


def _tell(error: Exception) -> None:
    log.error("what comes behind a commit could not be done: %s", error)


class Commits:
    """Runs steps, one after the other, in transactions.

    :param sync: called with the touched directories before a commit; makes their entries durable when that was asked for.
    :param committed: called after each commit with the number of the last record in the undo log, 0 when there is no new one, and
        with the number of steps.
    :param follows: asked whether there are steps that a power failure may take back.
    :param recover: the step that puts files back in line with the rows of some keys after one was cut short; returns the notes of
        those where an error of the disk forbids it.
    :param durable: whether what is committed is on the disk.
    :param make_room: called when a step finds the disk full; whether it is worth another try.
    :ivar remembered: buckets and the documents' revision, as long as nobody changes any.
    """

    def __init__(
        self,
        connections: Connections,
        journal: Journal,
        sync: Callable[[set[bytes]], None],
        committed: Callable[[int, int], None],
        recover: Callable[[Transaction, list[Note]], list[Note]],
        *,
        follows: Callable[[], bool] = bool,
        durable: bool = False,
        make_room: Callable[[], bool] = bool,
    ) -> None:
        self._connections = connections
        self._journal = journal
        self._sync = sync
        self._committed, self._follows = committed, follows
        self._recover = recover
        self._durable = durable
        self._make_room = make_room
        self._stale: frozenset[tuple[str, bytes]] = frozenset()
        self._again = 0.0
        self.remembered = self.new_cache(MOST_BUCKETS)
        connections.told = journal.counters.outdate
        self._mutex = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._led = False

    def new_cache(self, most: int) -> StampedCache:
        """Something to remember values in as long as they are true.

        :param most: how many.
        """
        return StampedCache(self._journal.counters, most)

    def run(self, step: Callable[[Transaction], T]) -> T:
        """The result of ``step(transaction)``, once it is committed.

        What the step raises rolls back the step alone and is raised here; so is what the commit raises. Raises InsufficientStorage
        when the disk is full. A step may be rolled back and never be told: it must leave the files in a state that can be read.
        """
        mine = _Waiting(step)
        if not share(mine):
            self._run([mine])
        if mine.error is not None:
            raise InsufficientStorage() if _is_full(mine.error) else mine.error
        result: T = mine.result
        return result

    def together(self, verbs: Iterable[Callable[[], Any]]) -> list[Any]:  # of whatever they return
        """The results of verbs that each run some steps, those of all of them in as few transactions as that takes.

        Each verb goes as far as its first step, or its first flush. These are done, every verb goes on to its next one, and so on.

        :param verbs: as of :func:`gecko_tw.store.drivers.batching.gather`.
        """
        return run_batch(verbs, self._do)

    def _do(self, wishes: list[_Waiting | Flush]) -> None:
        flush_all([one for one in wishes if isinstance(one, Flush)])
        steps = [one for one in wishes if isinstance(one, _Waiting)]
        if not steps:
            return
        try:
            self._run(steps)
        except BaseException as error:  # each of those who wait raises it
            for step in steps:
                step.error = step.error or error

    def _run(self, steps: list[_Waiting]) -> None:
        """Runs steps with whatever else waits."""
        with self._mutex:
            for mine in steps:
                self._queue.append(mine)
                if self._led:
                    mine.wake = threading.Lock()
                    mine.wake.acquire()
                else:
                    self._led = mine.leads = True
        for mine in steps:
            if mine.wake is not None:
                mine.wake.acquire()
            if mine.leads:
                self._lead()
        full = [mine for mine in steps if mine.error is not None and _is_full(mine.error)]
        if full and self._make_room():
            for mine in full:
                mine.error, mine.wake, mine.leads = None, None, False
            self._run(full)

    def idle(self) -> bool:
        """Whether a step would begin at once, or after what another process is in: nobody of this one is."""
        return not self._led

    def heal(self) -> None:
        """Finishes what a process that died has left; takes no time when there is nothing.

        On a full disk it stays for later: rows are as they were before it, and whoever only reads is not to be refused.
        """
        if self._journal.count and self._is_time() and self._journal.abandoned():
            try:
                self.run(_nothing)
            except InsufficientStorage:
                log.warning("the disk is full: what a cut step has left is brought together later")

    def _is_time(self) -> bool:
        """Whether what could not be put back the last time is worth another try."""
        return not self._stale or time.monotonic() >= self._again

    def _lead(self) -> None:
        with self._mutex:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), LARGEST_BATCH))]
        failed: BaseException | None = None
        try:
            self._journal.acquire()
            try:
                connection = self._connections.mine()
                self._finish_others(connection)
                try:
                    self._commit(connection, batch)
                finally:
                    try:
                        self._finish_others(connection)
                    except _AFTERWARDS as error:
                        _tell(error)
            finally:
                try:
                    self._journal.release()
                except _AFTERWARDS as error:
                    _tell(error)
        except BaseException as error:  # each of those who wait raises it
            failed = error
        self._hand_on(batch, failed)

    def _finish_others(self, connection: sqlite3.Connection) -> None:
        """Puts back the keys of steps that were cut short, by death or by an error.

        Those where an error of the disk forbids it stay noted: they are tried again later, and nobody changes them until then.
        """
        if not self._journal.count:
            self._stale = frozenset()
            return
        notes = self._journal.noted()
        if self._is_time() or not self._stale.issuperset((note.bucket, note.key) for note in notes):
            recovery = _Waiting(lambda transaction: self._recover(transaction, notes))
            self._commit(connection, [recovery], recovering=True)
            if recovery.error is not None:
                raise recovery.error
            self._journal.keep(recovery.result)
            self._stale = frozenset((note.bucket, note.key) for note in recovery.result)
            self._again = time.monotonic() + PAUSE

    def _hand_on(self, batch: list[_Waiting], error: BaseException | None) -> None:
        postponed: list[_Waiting] = []
        for waiting in batch:
            if isinstance(waiting.error, Taken):
                waiting.error = None
                postponed.append(waiting)
        with self._mutex:
            self._queue.extendleft(reversed(postponed))  # in their order, before whoever came later
            following = self._queue[0] if self._queue else None
            self._led = following is not None
        if following is not None:
            following.leads = True
            if following.wake is not None:
                following.wake.release()
        for waiting in batch:
            if postponed and waiting in postponed:
                continue
            waiting.error = waiting.error or error
            if waiting.wake is not None and not waiting.leads:
                waiting.wake.release()

    def _commit(self, connection: sqlite3.Connection, batch: list[_Waiting], recovering: bool = False) -> None:
        """Runs a batch in one transaction."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            transaction = Transaction(
                connection,
                self._journal.note,
                self._journal.counters.outdate,
                self._durable,
                () if recovering else self._stale,
                not self._durable and self._follows(),
            )
            standing = self._journal.noted() if self._journal.count else []
            torn = False
            for waiting in batch:
                noted = self._journal.count
                _run_alone(connection, transaction, waiting, len(batch) > 1)
                torn = torn or (waiting.error is not None and self._journal.count != noted)
            if len(batch) == 1 and batch[0].error is not None:
                return
            if transaction.touched:
                self._sync(transaction.touched)
            connection.execute("COMMIT")
            try:
                self._committed(transaction.last, len(batch))
                if not torn:
                    self._journal.keep(standing)
            except _AFTERWARDS as error:
                _tell(error)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _is_full(error: BaseException) -> bool:
    """Whether an error says that the disk is full."""
    if isinstance(error, OSError):
        return error.errno in FULL
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode == sqlite3.SQLITE_FULL
    return isinstance(error, InsufficientStorage)


def _nothing(transaction: Transaction) -> None:
    """The step that does nothing."""


def _run_alone(connection: sqlite3.Connection, transaction: Transaction, waiting: _Waiting, among_others: bool) -> None:
    """Runs a step so that its failure undoes nothing of the others'."""
    if among_others:
        connection.execute("SAVEPOINT step")
    try:
        waiting.result = waiting.step(transaction)
        transaction.done()
    except BaseException as error:  # raised where the step was asked for
        waiting.error = error
    transaction.turn()
    if among_others:
        if waiting.error is not None:
            if not connection.in_transaction:  # SQLite has rolled back everything (disk full): the whole batch failed
                raise waiting.error
            connection.execute("ROLLBACK TO step")
        connection.execute("RELEASE step")

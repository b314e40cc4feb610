"""A table of levels that all processes of a deployment share: one file in memory, mapped by each of them.

Why a table and no counting in the parent: docs/decisions/0010.
"""

import fcntl
import mmap
import os
import secrets
import tempfile
from collections.abc import Callable
from hashlib import blake2b

from gecko_tw.callers.budgets.token_buckets import Budget, refilled

ENTRIES = 65_536
"""Names that have a level; of those that could take one's place the least recently used leaves."""

_WAYS = 8
"""Places in which a name may stand."""

_SECRET = 16
_HEAD = 64
_LAST_FAILURE = 2  # the word behind the secret
_TAGS = _HEAD // 8
_LEVELS = _TAGS + ENTRIES
_STAMPS = _LEVELS + ENTRIES
SIZE = _HEAD + 3 * 8 * ENTRIES
_UNSEEN = 0
_LOCKED = 1
"""Bytes of the file that are locked, the first ones: a process that dies lets go of them."""


class Tally:
    """Levels of tokens by name. Names are kept as keyed hashes of 64 bits.

    :param fileno: the file, as :attr:`fileno` of another process's Tally says; None makes one. It is not closed here.
    :ivar fileno: the file to hand to other processes.
    """

    def __init__(self, fileno: int | None = None) -> None:
        self.fileno = _new_file() if fileno is None else fileno
        memory = memoryview(mmap.mmap(self.fileno, SIZE))
        self._words, self._numbers = memory.cast("Q"), memory.cast("d")
        self._secret = bytes(memory[:_SECRET])

    def step(self, name: str, budget: Budget, now: float, rule: Callable[[float], float]) -> float:
        """Replaces the level of a name by ``rule(level)``, and returns it; no other process does so meanwhile.

        :param budget: what the level is filled up by; who is not in the table has a full one.
        :param now: seconds since 1970, alike in all processes.
        """
        # The lock is one system call each way, and rarely waited for: nobody holds it for more than two microseconds.
        fcntl.lockf(self.fileno, fcntl.LOCK_EX, _LOCKED)
        try:
            place, known = self._place(self._tag(name))
            level = budget.burst
            if known:
                level = refilled(self._numbers[_LEVELS + place], now - self._numbers[_STAMPS + place], budget)
            level = rule(level)
            self._numbers[_LEVELS + place], self._numbers[_STAMPS + place] = level, now
        finally:
            fcntl.lockf(self.fileno, fcntl.LOCK_UN, _LOCKED)
        return level

    def look(self, name: str) -> float | None:
        """The level that a name was left with, not filled up; None when it is not in the table."""
        tag = self._tag(name)
        fcntl.lockf(self.fileno, fcntl.LOCK_EX, _LOCKED)
        try:
            start = self._start(tag)
            tags = self._words_of(start)
            return self._numbers[_LEVELS + start + tags.index(tag)] if tag in tags else None
        finally:
            fcntl.lockf(self.fileno, fcntl.LOCK_UN, _LOCKED)

    def forget(self, name: str) -> None:
        """A name is as if it had never been here."""
        tag = self._tag(name)
        if tag not in self._words_of(self._start(tag)):
            return
        fcntl.lockf(self.fileno, fcntl.LOCK_EX, _LOCKED)
        try:
            start = self._start(tag)
            tags = self._words_of(start)
            if tag in tags:
                self._words[_TAGS + start + tags.index(tag)] = _UNSEEN
        finally:
            fcntl.lockf(self.fileno, fcntl.LOCK_UN, _LOCKED)

    @property
    def last_failure(self) -> float:
        """When a caller last failed to prove who it is, in any process; 0 when nobody has lately."""
        return self._numbers[_LAST_FAILURE]

    @last_failure.setter
    def last_failure(self, seconds: float) -> None:
        self._numbers[_LAST_FAILURE] = seconds

    def _tag(self, name: str) -> int:
        # Keyed, so that nobody can choose addresses that push somebody else out of the table.
        digest = blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8, key=self._secret).digest()
        return int.from_bytes(digest, "little") or 1

    def _start(self, tag: int) -> int:
        return tag % (ENTRIES // _WAYS) * _WAYS

    def _words_of(self, start: int) -> list[int]:
        return self._words[_TAGS + start : _TAGS + start + _WAYS].tolist()

    def _place(self, tag: int) -> tuple[int, bool]:
        """Where a tag stands, or from now on will, and whether it stood there."""
        start = self._start(tag)
        tags = self._words_of(start)
        if tag in tags:
            return start + tags.index(tag), True
        if _UNSEEN in tags:
            place = start + tags.index(_UNSEEN)
        else:
            stamps = self._numbers[_STAMPS + start : _STAMPS + start + _WAYS].tolist()
            place = start + stamps.index(min(stamps))
        self._words[_TAGS + place] = tag
        return place, False


def _new_file() -> int:
    fileno = shared_file("geckos3-limits", SIZE)
    os.pwrite(fileno, secrets.token_bytes(_SECRET), 0)
    return fileno


def shared_file(name: str, size: int) -> int:
    """A file of ``size`` zeros, to be mapped by several processes and gone with the last of them; returns its descriptor.

    :param name: for who looks at the processes; files of the same name are different files.
    """
    if hasattr(os, "memfd_create"):
        fileno = os.memfd_create(name)
    else:
        with tempfile.TemporaryFile() as file:
            fileno = os.dup(file.fileno())
    os.ftruncate(fileno, size)
    return fileno

"""IDocuments and INotices in memory: part of the reference driver."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from threading import Lock

from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import IDocuments, INotices
from gecko_tw.store.records import Json, Notice


@implementer(IDocuments)
class MemoryDocuments:
    """Values as JSON texts in a dictionary, so that nobody changes one that is kept.

    :param buckets_changed: how many changes of buckets' records there were.
    """

    def __init__(self, buckets_changed: Callable[[], int]) -> None:
        self._buckets_changed = buckets_changed
        self._lock = Lock()
        self._changes = 0
        self._values: dict[tuple[str, str], str] = {}

    def revision(self) -> int:
        return self._changes + self._buckets_changed()

    def get(self, kind: str, name: str) -> Json:
        with self._lock:
            return _value(self._values.get((kind, name)))

    def all(self, kind: str) -> list[tuple[str, Json]]:
        with self._lock:
            found = sorted((name, text) for (each, name), text in self._values.items() if each == kind)
        return [(name, _value(text)) for name, text in found]

    def kinds(self) -> list[str]:
        with self._lock:
            return sorted({kind for kind, _ in self._values})

    def change(self, kind: str, name: str, rule: Callable[[Json], Json]) -> Json:
        with self._lock:
            after = rule(_value(self._values.get((kind, name))))
            self._put(kind, name, after)
            return after

    def replace(self, values: Mapping[tuple[str, str], Json], revision: int) -> bool:
        with self._lock:
            if revision != self.revision():
                return False
            for (kind, name), value in values.items():
                self._put(kind, name, value)
            return True

    def _put(self, kind: str, name: str, value: Json) -> None:
        if value == _value(self._values.get((kind, name))):
            return
        self._changes += 1
        if value is None:
            del self._values[kind, name]
        else:
            self._values[kind, name] = json.dumps(value)


def _value(text: str | None) -> Json:
    return None if text is None else json.loads(text)


@implementer(INotices)
class MemoryNotices:
    """Events in a dictionary by their numbers."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count(1)
        self._waiting: dict[int, Notice] = {}

    def add(self, notices: Iterable[Notice]) -> None:
        with self._lock:
            for notice in notices:
                self._waiting[next(self._numbers)] = notice

    def targets(self) -> list[str]:
        with self._lock:
            return sorted({notice.target for notice in self._waiting.values()})

    def waiting(self, target: str, limit: int) -> list[tuple[int, Json]]:
        with self._lock:
            found = [(number, notice.event) for number, notice in self._waiting.items() if notice.target == target]
            return found[: max(limit, 0)]

    def drop(self, numbers: Sequence[int]) -> None:
        with self._lock:
            for number in numbers:
                self._waiting.pop(number, None)

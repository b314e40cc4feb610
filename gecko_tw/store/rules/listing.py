"""Folding keys into a page of entries and common prefixes (S3 API, ListObjectsV2), over any source of sorted entries."""

from collections.abc import Callable

from gecko_tw.store.requests import Listed, ListRequest, Page, successor

Fetch = Callable[[bytes, int, "str | None"], "list[Listed]"]
"""``fetch(start, limit, after_id)``: up to ``limit`` entries with the prefix and keys ``>= start``, sorted."""

Leap = Callable[[bytes, int], "list[bytes]"]
"""``leap(start, limit)``: up to ``limit`` common prefixes of keys ``>= start``, before the first key that has none."""

_FIRST_FETCH = 64
_FETCH_AFTER_LEAP = 8
_WORTH_A_LEAP = 4
"""So many lines read for each one shown cost more than finding the next common prefix by itself."""


def common_prefix(key: bytes, prefix: bytes, delimiter: bytes) -> bytes | None:
    """The key's part up to the first delimiter behind the prefix, or None when it has none."""
    if not delimiter:
        return None
    at = key.find(delimiter, len(prefix))
    return None if at < 0 else key[: at + len(delimiter)]


class _Fold:
    """One page being made."""

    def __init__(self, fetch: Fetch, request: ListRequest, leap: Leap | None) -> None:
        self.fetch = fetch
        self.request = request
        self.leap = leap
        self.entries: list[Listed] = []
        self.prefixes: list[bytes] = []
        self.last: tuple[bytes, str | None] = (b"", None)
        self.truncated = False

    def beginning(self) -> tuple[bytes | None, str | None]:
        """Where to start: behind ``after``, and where a common prefix stands for that, behind all of it: it has been listed."""
        request = self.request
        after = request.after
        if not after or after < request.prefix:
            return request.prefix, None
        folded = common_prefix(after, request.prefix, request.delimiter) if after.startswith(request.prefix) else None
        if folded is not None:
            return successor(folded), None
        if request.after_id is not None:
            return after, request.after_id
        return after + b"\0", None

    @property
    def room(self) -> int:
        """How many lines the page still has."""
        return self.request.limit - len(self.entries) - len(self.prefixes)

    def take(self, batch: list[Listed]) -> bytes | None:
        """Adds a batch; returns the last common prefix when the batch ended inside it."""
        request = self.request
        if not request.delimiter:
            self.take_as_it_is(batch)
            return None
        folding: bytes | None = None
        for entry in batch:
            key = entry.key
            if folding is not None:
                if key.startswith(folding):
                    continue
                folding = None
            if len(self.entries) + len(self.prefixes) == request.limit:
                self.truncated = True
                return None
            folding = common_prefix(key, request.prefix, request.delimiter)
            if folding is None:
                self.entries.append(entry)
                self.last = (key, entry.id)
            else:
                self.prefixes.append(folding)
                self.last = (folding, None)
        return folding

    def take_as_it_is(self, batch: list[Listed]) -> None:
        """Adds a batch in which nothing is folded."""
        self.truncated = len(batch) > self.room
        self.entries += batch[: self.room]
        if self.entries:
            self.last = (self.entries[-1].key, self.entries[-1].id)

    def step_over(self, folded: bytes) -> bytes | None:
        """Adds the common prefixes that follow one; returns where lines are to be read again, or None when nothing is behind."""
        start = successor(folded)
        if start is None or self.leap is None:
            return start
        found = self.leap(start, self.room + 1)
        self.truncated = len(found) > self.room
        self.prefixes += found[: self.room]
        if not found:
            return start
        self.last = (self.prefixes[-1], None)
        return successor(found[-1])

    def run(self) -> Page:
        start, after_id = self.beginning()
        size = self.room + 1
        if self.request.delimiter:
            size = min(size, _FIRST_FETCH)
        while start is not None and not self.truncated:
            room = self.room
            batch = self.fetch(start, size, after_id)
            folded = self.take(batch)
            if self.truncated or len(batch) < size:
                break
            if folded is None:
                start, after_id = batch[-1].key, batch[-1].id
                size = min(self.room + 1, size * 2)
            elif len(batch) < _WORTH_A_LEAP * (room - self.room):
                start, after_id = successor(folded), None
                size = min(self.room + 1, size * 2)
            else:
                start, after_id = self.step_over(folded), None
                size = _FETCH_AFTER_LEAP
        key, id_ = self.last if self.truncated else (b"", None)
        return Page(
            entries=tuple(self.entries),
            prefixes=tuple(self.prefixes),
            truncated=self.truncated,
            next_key=key,
            next_id=id_,
        )


def fold(fetch: Fetch, request: ListRequest, leap: Leap | None = None) -> Page:
    """A page for a request. Reads no more entries than the page needs: a common prefix is stepped over, whatever is in it.

    :param fetch: must honour ``after_id`` for objects too, where it means: behind the key ``start``.
    :param leap: None when ``fetch`` is the only way to see what follows a common prefix.
    """
    if request.limit <= 0:
        return Page()
    return _Fold(fetch, request, leap).run()

"""Folding keys into a page of entries and common prefixes (S3 API, ListObjectsV2), over any source of sorted entries."""

from collections.abc import Callable

from gecko_tw.store.requests import Listed, ListRequest, Page

Fetch = Callable[[bytes, int, "str | None"], "list[Listed]"]
"""``fetch(start, limit, after_id)``: up to ``limit`` entries with the prefix and keys ``>= start``, sorted."""

_FIRST_FETCH = 64
_FETCH_AFTER_SKIP = 8


def successor(prefix: bytes) -> bytes | None:
    """The smallest byte string behind everything that starts with ``prefix``, or None when nothing can be behind."""
    bare = prefix.rstrip(b"\xff")
    return bare[:-1] + bytes([bare[-1] + 1]) if bare else None


def common_prefix(key: bytes, prefix: bytes, delimiter: bytes) -> bytes | None:
    """The key's part up to the first delimiter behind the prefix, or None when it has none."""
    if not delimiter:
        return None
    at = key.find(delimiter, len(prefix))
    return None if at < 0 else key[: at + len(delimiter)]


class _Fold:
    """One page being made."""

    def __init__(self, fetch: Fetch, request: ListRequest) -> None:
        self.fetch = fetch
        self.request = request
        self.entries: list[Listed] = []
        self.prefixes: list[bytes] = []
        self.last: tuple[bytes, str | None] = (b"", None)
        self.truncated = False

    def beginning(self) -> tuple[bytes | None, str | None]:
        """Where to start: behind ``after``, and behind all of it when it is itself a common prefix."""
        request = self.request
        after = request.after
        if not after or after < request.prefix:
            return request.prefix, None
        if request.after_id is not None:
            return after, request.after_id
        if after.startswith(request.prefix) and common_prefix(after, request.prefix, request.delimiter) == after:
            return successor(after), None
        return after + b"\0", None

    def take(self, batch: list[Listed]) -> bytes | None:
        """Adds a batch; returns the last common prefix when the batch ended inside it."""
        request = self.request
        folding: bytes | None = None
        for entry in batch:
            if folding is not None:
                if entry.key.startswith(folding):
                    continue
                folding = None
            if len(self.entries) + len(self.prefixes) == request.limit:
                self.truncated = True
                return None
            folding = common_prefix(entry.key, request.prefix, request.delimiter)
            if folding is None:
                self.entries.append(entry)
                self.last = (entry.key, entry.id)
            else:
                self.prefixes.append(folding)
                self.last = (folding, None)
        return folding

    def run(self) -> Page:
        start, after_id = self.beginning()
        size = self.request.limit + 1
        if self.request.delimiter:
            size = min(size, _FIRST_FETCH)
        while start is not None:
            batch = self.fetch(start, size, after_id)
            folded = self.take(batch)
            if self.truncated or len(batch) < size:
                break
            if folded is not None:
                start, after_id, size = successor(folded), None, _FETCH_AFTER_SKIP
            else:
                start, after_id = batch[-1].key, batch[-1].id
                size = min(self.request.limit + 1, size * 2)
        key, id_ = self.last if self.truncated else (b"", None)
        return Page(
            entries=tuple(self.entries),
            prefixes=tuple(self.prefixes),
            truncated=self.truncated,
            next_key=key,
            next_id=id_,
        )


def fold(fetch: Fetch, request: ListRequest) -> Page:
    """A page for a request. Reads no more entries than the page needs: a common prefix is stepped over, whatever is in it.

    :param fetch: must honour ``after_id`` for objects too, where it means: behind the key ``start``.
    """
    if request.limit <= 0:
        return Page()
    return _Fold(fetch, request).run()

"""What the pool says by itself, file by file: older versions, delete markers and parts of uploads."""

import os
from collections.abc import Callable, Iterator

from attrs import evolve, frozen

from gecko_tw.store.drivers.files.attribute_stores import has_attribute, read_attribute
from gecko_tw.store.drivers.files.attributes import Description, description_of
from gecko_tw.store.drivers.files.disk import Disk, description_file, pool_file
from gecko_tw.store.drivers.files.paths import INNER
from gecko_tw.store.drivers.files.torn import TornFiles
from gecko_tw.store.drivers.pooled import PooledFiles
from gecko_tw.store.drivers.sqlite.blobnames import is_pooled
from gecko_tw.store.drivers.sqlite.layout import Watch
from gecko_tw.store.records import DeleteMarker, Part, Span, Version, stored_size


@frozen
class Pooled:
    """A version that the pool says.

    :ivar record: the same as its description's.
    """

    record: Version | DeleteMarker
    description: Description
    spans: tuple[Span, ...]
    files: tuple[str, ...]


@frozen
class PoolReader:
    """Reads the pool of a data directory.

    :ivar torn: what a power failure may have torn, or None when there was none.
    :ivar failing: called with what cannot be read, and why.
    """

    disk: Disk
    watch: Watch
    pooled: PooledFiles
    torn: TornFiles | None
    failing: Callable[[bytes, object], None]

    def described(self) -> Iterator[tuple[str, Description, int]]:
        """The name of each blob, or of a list of spans, what it says, and when it was last changed (ctime)."""
        top = self.disk.inner_path("pool")
        for directory, _, names in os.walk(top, onerror=self._unlisted):
            for name in names:
                blob = name.removesuffix(".json")
                if not is_pooled(blob) or (name != blob and self.watch.is_pooled(blob)):
                    continue  # none of ours, or told with its bytes
                description = self.describe(blob)
                if description is not None:
                    yield blob, description, self._changed(os.path.join(directory, name))

    def _unlisted(self, error: OSError) -> None:
        self.failing(os.path.relpath(os.fsencode(error.filename), os.fsencode(self.disk.data_dir)), error)

    def _changed(self, path: str) -> int:
        try:
            return os.lstat(path).st_ctime_ns
        except FileNotFoundError:
            return 0

    def describe(self, blob: str) -> Description | None:
        """What a blob of the pool, or a list in it, says of itself."""
        try:
            text = self.disk.read_whole(description_file(blob))
            if text is not None:
                description = description_of(text)
                if description is None:
                    self._failed(description_file(blob), "it is damaged")
                return description
            if not self.watch.is_pooled(blob):
                return None
            path = self.disk.inner_path(pool_file(blob))
            description, spill = read_attribute(self.disk, path)
            if description is None and has_attribute(path):
                self._failed(pool_file(blob), "its description is damaged")
        except OSError as error:
            self._failed(pool_file(blob), error)
            return None
        return None if description is None else evolve(description, spill=spill)

    def _failed(self, path: str, why: object) -> None:
        self.failing(INNER + b"/" + os.fsencode(path), why)

    def whole(self, blob: str) -> Pooled | None:
        """What the pool says under a name, if all its bytes are there."""
        description = self.describe(blob)
        if description is None or isinstance(description.record, Part):
            return None
        record = description.record
        if isinstance(record, DeleteMarker):
            return Pooled(record, description, (), (blob,))
        if description.spans is None:
            files = () if description.spill is None else (description.spill,)
            spans: tuple[Span, ...] = (Span(blob, 0, stored_size(record)),)
        else:
            files, spans = (blob,), description.spans
        return Pooled(record, description, spans, files) if self.holds(record, spans) else None

    def holds(self, record: Version | Part, spans: tuple[Span, ...]) -> bool:
        """Whether the bytes are there and, where a power failure may have torn them, are the record's own."""
        told = evolve(record, spans=spans)
        if not self.pooled.are_there(told):
            return False
        if self.torn is None or not any(map(self._is_recent, {span.blob for span in spans})):
            return True
        whole = self.pooled.verified(told)
        # Encrypted bytes of format 1 are told by their own tags when they are read: nobody is ever given wrong ones.
        sealed = isinstance(record, Version) and "sse" in record.extra or isinstance(record, Part) and record.stored
        if whole or (whole is None and sealed):
            return True
        self._failed(pool_file(spans[0].blob), "its bytes did not survive the power failure")
        return False

    def _is_recent(self, blob: str) -> bool:
        try:
            found = os.stat(pool_file(blob), dir_fd=self.disk.inner, follow_symlinks=False)
        except OSError:
            return True
        return self.torn is not None and self.torn.is_recent(found)

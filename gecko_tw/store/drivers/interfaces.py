"""What drivers implement: plain blocking code, safe to call from any thread."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from zope.interface import Attribute, Interface

from gecko_tw.store.records import (
    Applied,
    BlobNote,
    BucketRecord,
    BucketRule,
    Check,
    DeleteMarker,
    Json,
    KeyHistory,
    Notice,
    Part,
    Rule,
    Span,
    Usage,
    Version,
)
from gecko_tw.store.requests import Listed, ListRequest


class Stale(Exception):  # noqa: N818 - a signal, not an error
    """A record disagrees with what is on the disk, and finding out needs slow work.

    Raised by :meth:`ICatalog.history` and :meth:`IBlobs.open`. Whoever catches it calls ``reconcile()`` where blocking is allowed and
    then asks again.
    """

    def __init__(self, reconcile: Callable[[], object]) -> None:
        self.reconcile = reconcile
        super().__init__("the record is stale")


class BlobGone(Exception):  # noqa: N818 - a signal, not an error
    """The blob does not exist any more, or is another one now: read the history again."""


class IDriver(Interface):
    """Where records and bytes are kept, for one data directory."""

    data_dir: str = Attribute(
        "the directory's path; a driver that keeps everything elsewhere has at least ``.geckos3`` in it"
    )
    catalog: "ICatalog" = Attribute("the records, while it is open")
    blobs: "IBlobs" = Attribute("the bytes, while it is open")
    documents: "IDocuments" = Attribute("small values, while it is open")
    notices: "INotices" = Attribute("events that wait, while it is open")
    # Any: what it is lies above the interfaces.
    damage: Any = Attribute(
        "what is noticed of the records while they are in use: a gecko_tw.store.drivers.sqlite.damage.Damage"
    )

    def open() -> None:
        """Prepares the directory. Raises OSError with the path at fault, ValueError or RuntimeError with a line for the user."""

    def flush() -> bool:
        """Makes everything durable that was committed; whether there was anything. Called every now and then."""

    def close() -> None:
        """Harmless when repeated."""


class IFileTree(Interface):
    """Optional power of an IDriver, got by ``IFileTree(driver, None)``: objects are files, which others may put, change and remove."""

    # Any: as the damage of IDriver.
    tree_watch: Any = Attribute("tells of what others do: a gecko_tw.store.drivers.files.noticing.TreeWatch")
    unreadable: dict[str, str] = Attribute("places that the last :meth:`open` anew has passed over, with the reasons")

    def open(anew: bool = False) -> None:
        """As IDriver; ``anew`` makes the catalog from the files alone. Raises RuntimeError unless nobody else uses the directory."""

    # Any: the progress is a value of the driver of files, which imports this.
    def adopt(report: Callable[[Any], None] | None = None, stop: Callable[[], bool] | None = None) -> Any:
        """Takes over what others did: a gecko_tw.store.drivers.files.adoption.Progress of what was looked at, changed, and not read."""


class IDriverFamily(Interface):
    """A description of a driver, cheap to import. A dropin may publish one."""

    name: str = Attribute("the value of ``--layout`` that chooses it")
    catalog: str = Attribute("the file in ``.geckos3`` that is there when the directory was used before")
    takes: tuple[str, ...] = Attribute("names of the settings that it is made with")

    def load(data_dir: str, settings: Mapping[str, object]) -> IDriver:
        """The driver, imported and made only now, not open yet.

        :param settings: the values of those settings, by name.
        """


class ICatalog(Interface):
    """Buckets, the histories of their keys, parts of uploads. Several processes may share one catalog."""

    idle: Callable[[], bool] = Attribute(
        "A callable that tells whether a change would begin at once, because nobody of this process makes one just now."
    )
    # Any: they return what they like.
    together: Callable[[Sequence[Callable[[], Any]]], list[Any]] = Attribute(
        "A callable that calls callables which do not raise, and returns their results in a list. What they change may be committed"
        " at once for all of them; each goes on when its own is."
    )
    quick: bool = Attribute(
        "True when bucket, history and page take microseconds and may be called on the reactor thread."
    )

    def buckets(prefix: str, after: str, limit: int) -> list[BucketRecord]:
        """Up to ``limit`` BucketRecords whose names start with ``prefix`` and sort behind ``after``, by name."""

    def bucket(name: str, look: bool = True) -> BucketRecord:
        """The BucketRecord. Raises NoSuchBucket.

        :param look: whether it is looked for where others may have removed it. Whoever goes on to read a history need not: that does.
        """

    def add_bucket(record: BucketRecord) -> None:
        """Adds a bucket. Raises BucketAlreadyExists."""

    def change_bucket(name: str, rule: BucketRule) -> BucketRecord:
        """Replaces the record by ``rule(record)``, atomically, and returns it. Raises NoSuchBucket, and what the rule raises."""

    def remove_bucket(name: str) -> None:
        """Removes an empty bucket; unfinished uploads go with it. Raises NoSuchBucket, BucketNotEmpty."""

    def history(
        bucket: str,
        key: bytes,
        version_id: str | None = None,
        opening: bool = False,
        upload_id: str | None = None,
    ) -> KeyHistory:
        """The part of the KeyHistory that is asked for; empty for an unknown key. It costs the same however large the whole is.

        It has the newest version, that of ``version_id``, and the upload of ``upload_id``, or else the version which that has become.
        Whether it has others, no one may rely on.

        :param opening: the newest version's bytes are opened next, which notices by itself (BlobGone) when they are others by now.

        Raises NoSuchBucket, Stale.
        """

    def change_history(
        bucket: str, key: bytes, rule: Rule, version_id: str | None = None, upload_id: str | None = None
    ) -> Applied:
        """Applies ``rule(bucket_record, history) -> Change`` as one atomic step and returns an :class:`Applied`.

        The rule sees a part of the history, so that a step costs the same however large the whole is: the newest two versions, the null
        version, that of ``version_id``, and the upload of ``upload_id``. What it does not see stays as it is, and so do its places: a
        version that the rule adds becomes the newest, and an upload the last one. A version that it did not see cannot become the newest
        one (ValueError). Applied tells of the same part.

        The rule is pure and may be called again. What it raises leaves everything as it was. A blob of a new version must have been
        committed before; the driver may move its bytes and so rename it (``Applied.after`` has the names in force). Parts of uploads
        that the new history no longer has are forgotten. Raises NoSuchBucket, and what the rule raises.
        """

    def page(
        bucket: str, prefix: bytes, start: bytes, limit: int, what: str, after_id: str | None = None
    ) -> list[Listed]:
        """Up to ``limit`` :class:`~gecko_tw.store.requests.Listed` of keys ``>= start`` with ``prefix``, in byte order.

        ``what`` is ``"objects"`` (newest versions that are no delete markers), ``"versions"`` (newest first in a key) or
        ``"uploads"`` (oldest first in a key). With ``after_id``, of the key ``start`` only what follows that id. Raises NoSuchBucket.
        """

    def add_part(bucket: str, key: bytes, upload_id: str, part: Part, check: Check | None = None) -> Part | None:
        """Adds or replaces a Part and gives the upload a new revision; returns the replaced Part or None.

        ``check`` is as :class:`~gecko_tw.store.records.Change` has it. Raises NoSuchUpload, and what ``check`` raises.
        """

    def parts(bucket: str, key: bytes, upload_id: str, after: int, limit: int) -> list[Part]:
        """Up to ``limit`` Parts with numbers greater than ``after``, by number. Raises NoSuchUpload."""

    def references(blobs: Iterable[str]) -> set[str]:
        """Those of the given blob names that some version or part holds, as a set."""

    def spanned(limit: int) -> list[tuple[str, bytes]]:
        """Up to ``limit`` ``(bucket, key)`` pairs whose newest version has more than one span: uploads not yet joined."""


class IUsage(Interface):
    """Optional power of an ICatalog, got by ``IUsage(catalog, None)``: it obeys ``Change.check`` and the ``check`` of ``add_part``."""

    def usage(bucket: str) -> Usage:
        """What a bucket holds: a records.Usage. May take long the first time. Raises NoSuchBucket."""


class ICommonPrefixes(Interface):
    """Optional power of an ICatalog, got by ``ICommonPrefixes(catalog, None)``: it steps over what common prefixes hold."""

    def common_prefixes(bucket: str, request: ListRequest, start: bytes, limit: int, what: str) -> list[bytes]:
        """Up to ``limit`` common prefixes of a requests.ListRequest with a delimiter, of lines as ``page`` has them.

        They are those of keys ``>= start`` in byte order, before the first key that has none. It may know none at all: then ``page``
        is asked. Raises NoSuchBucket.
        """


class IDocuments(Interface):
    """Small JSON values beside the buckets, shared by all processes of a deployment: identities, limits, keys. All of it survives."""

    def revision() -> int:
        """A number that is another one whenever a document was changed or a bucket's record was added, changed or removed.

        Takes microseconds where the catalog is ``quick``: whoever keeps something made of documents or records asks it first.
        """

    def get(kind: str, name: str) -> Json:
        """The value, or None."""

    def all(kind: str) -> list[tuple[str, Json]]:
        """All ``(name, value)`` of a kind, by name."""

    def kinds() -> list[str]:
        """Those of which there is a value, in order."""

    def change(kind: str, name: str, rule: Callable[[Json], Json]) -> Json:
        """Replaces a value by ``rule(value or None)``, atomically, and returns it; None removes it.

        The rule is pure and may be called again. What it raises leaves everything as it was.
        """

    def replace(values: Mapping[tuple[str, str], Json], revision: int) -> bool:
        """Replaces several values in one step, unless something was changed since that revision; returns whether it did.

        :param values: by ``(kind, name)``; None removes one.
        """


class INotices(Interface):
    """Events that wait until they are delivered, oldest first; they outlive processes.

    A catalog adds the ``notices`` of a Change in the step that makes the change.
    """

    def add(notices: Iterable[Notice]) -> None:
        """Adds records.Notice at the end."""

    def targets() -> list[str]:
        """The destinations for which something waits."""

    def waiting(target: str, limit: int) -> list[tuple[int, Json]]:
        """Up to ``limit`` ``(number, event)`` for a destination. Numbers grow; an event's own is its place among all."""

    def drop(numbers: Sequence[int]) -> None:
        """Forgets those that were delivered."""


class IBlobWriter(Interface):
    """One blob on its way in."""

    def write(data: bytes | memoryview) -> None:
        """Appends. Raises InsufficientStorage when the disk is full."""

    def commit(note: BlobNote) -> str:
        """Makes the blob durable (as far as the driver was asked to) and returns its name.

        ``note`` is a :class:`BlobNote`: what to write beside the bytes so that a catalog can be rebuilt from them.
        """

    def abort() -> None:
        """Forgets it. Harmless when repeated or after commit."""


class IBlobReader(Interface):
    """An opened blob; stays readable when the blob is removed meanwhile."""

    size: int = Attribute("its length in bytes")

    def fileno() -> int | None:
        """A file descriptor whose offset 0 is the blob's first byte, or None when there is none (no sendfile then)."""

    def read(offset: int, length: int) -> bytes:
        """Bytes, fewer only at the end."""

    def close() -> None:
        """Releases it. Harmless when repeated."""


class IBlobs(Interface):
    """Bytes, written once and never changed."""

    def create() -> IBlobWriter:
        """A new :class:`IBlobWriter`."""

    def open(blob: str) -> IBlobReader:
        """An :class:`IBlobReader`. Raises BlobGone."""

    def remove(blobs: Iterable[str]) -> None:
        """Drops blobs; those already gone, or that a catalog of this driver keeps as visible files, are passed over."""

    def release(blobs: Iterable[str]) -> None:
        """Tells that a committed step of this driver's catalog has let go of blobs: no version and no part holds them any more.

        They go as soon as no power failure can take that step back; whoever has opened one reads on.
        """

    def older_than(seconds: float) -> Iterator[str]:
        """Iterates over names of blobs, staged bodies included, that are older: candidates for the sweeper."""


class IBlobRereading(Interface):
    """Optional power of an IBlobs that holds bytes in memory: reading what is stored, whatever is held."""

    def reread(blob: str) -> IBlobReader:
        """As ``open``, past all that is held."""


class IMoment(IBlobRereading):
    """What a store held at one moment; its bytes stay readable until it is closed."""

    time: int = Attribute("the moment, in nanoseconds")
    unchanging: bool = Attribute("whether nobody changes files with its bytes in place, not even people")

    def buckets() -> list[BucketRecord]:
        """Every BucketRecord, by name."""

    def documents() -> list[tuple[str, str, Json]]:
        """Every document: kind, name, value."""

    def versions(bucket: str) -> Iterator[tuple[bytes, Version | DeleteMarker]]:
        """Every version of a bucket with its key, by key, newest first."""

    def places(bucket: str, key: bytes, version: Version) -> Iterator[tuple[Span, ...]]:
        """Where a version's bytes may be by now, to be tried in this order with ``reread``. What was tried in vain may be tried again:
        bytes move while one looks. After several rounds they are gone: others than this store have changed the file."""

    def close() -> None:
        """Ends it. Harmless when repeated."""


class IMoments(Interface):
    """Optional power of an IDriver, got by ``IMoments(driver, None)``: it can be looked at as it is at one moment."""

    def moment() -> IMoment:
        """This one. Blocks while the records are copied.

        Raises garbage.AlreadyHeld: somebody else looks at one already; OSError, sqlite3.Error.
        """


class ISnapshots(Interface):
    """Optional power of an IDriver, got by ``ISnapshots(driver, None)``: it keeps snapshots of its catalog for a while."""

    # Any: values of the driver, which imports this; gecko_tw.store.drivers.sqlite.kept_snapshots.Snapshot.
    def snapshot(now: int, rest: Callable[[], object]) -> Any:
        """Takes one of this moment (nanoseconds), and removes what is kept no longer. ``rest`` is called after each megabyte.

        Raises kept_snapshots.NoRoom, OSError, sqlite3.Error.
        """

    # Any: as above.
    def snapshots() -> list[Any]:
        """All of them, the newest first, whether it is open or not."""


class IRollback(Interface):
    """Optional power of an IDriver, got by ``IRollback(driver, None)``: its catalog cannot be made again but from a snapshot."""

    # Any: as in ISnapshots.
    def roll_back(until: int | None) -> Any:
        """Puts the newest sound snapshot, of those up to a moment (nanoseconds), in the catalog's place, and returns it.

        For a driver that is not open. Raises ValueError: there is none; RuntimeError: somebody uses the directory; OSError.
        """


class IBlobCloning(Interface):
    """Optional power of an IBlobs: copying without passing the bytes through Python."""

    def clone(spans: Iterable[Span], note: BlobNote) -> str:
        """A new committed blob with the bytes of the spans; returns its name. Raises BlobGone."""


class IPurging(Interface):
    """Optional power of an IBlobs, got by ``IPurging(blobs, None)``: what was dropped stays for a while, for whoever reads it."""

    def purge(seconds: float = 24 * 3600.0) -> int:
        """Removes for good what was dropped more than ``seconds`` ago, which no download may take; returns how many blobs."""


class ILeases(Interface):
    """Optional power of an IDriver, got by ``ILeases(driver, None)``: it is shared by nodes, of which one does what is done once."""

    def leads() -> bool:
        """Whether this process does the jobs of all nodes now. It takes the lease, or renews it, where that is due. Blocks."""

    def leave() -> None:
        """Gives the lease up, so that another node need not wait for its end."""

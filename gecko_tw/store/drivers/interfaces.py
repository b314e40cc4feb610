"""What drivers implement: plain blocking code, safe to call from any thread."""

from zope.interface import Attribute, Interface


class Unsettled(Exception):  # noqa: N818 - a signal, not an error
    """A record disagrees with what is on the disk, and finding out needs slow work.

    Raised by :meth:`ICatalog.history` and :meth:`IBlobs.open`. Whoever catches it calls ``settle()`` where blocking is allowed and
    then asks again.
    """

    def __init__(self, settle: object) -> None:
        self.settle = settle
        super().__init__("the record is not settled")


class BlobGone(Exception):  # noqa: N818 - a signal, not an error
    """The blob does not exist any more, or is another one now: read the history again."""


class ICatalog(Interface):
    """Buckets, the histories of their keys, parts of uploads. Several processes may share one catalog."""

    idle = Attribute(
        "A callable that tells whether a change would begin at once, because nobody of this process makes one just now."
    )
    together = Attribute(
        "A callable that calls callables which do not raise, and returns their results in a list. What they change may be committed"
        " at once for all of them; each goes on when its own is."
    )
    quick = Attribute("True when bucket, history and page take microseconds and may be called on the reactor thread.")

    def buckets(prefix: str, after: str, limit: int):  # type: ignore[no-untyped-def]
        """Up to ``limit`` BucketRecords whose names start with ``prefix`` and sort behind ``after``, by name."""

    def bucket(name: str):  # type: ignore[no-untyped-def]
        """The BucketRecord. Raises NoSuchBucket."""

    def add_bucket(record):  # type: ignore[no-untyped-def]
        """Adds a bucket. Raises BucketAlreadyExists."""

    def change_bucket(name: str, rule):  # type: ignore[no-untyped-def]
        """Replaces the record by ``rule(record)``, atomically, and returns it. Raises NoSuchBucket, and what the rule raises."""

    def remove_bucket(name: str):  # type: ignore[no-untyped-def]
        """Removes an empty bucket; unfinished uploads go with it. Raises NoSuchBucket, BucketNotEmpty."""

    def history(  # type: ignore[no-untyped-def]
        bucket: str,
        key: bytes,
        version_id: str | None = None,
        opening: bool = False,
        upload_id: str | None = None,
    ):
        """The part of the KeyHistory that is asked for; empty for an unknown key. It costs the same however large the whole is.

        It has the newest version, that of ``version_id``, and the upload of ``upload_id``, or else the version which that has become.
        Whether it has others, no one may rely on.

        :param opening: the newest version's bytes are opened next, which notices by itself (BlobGone) when they are others by now.

        Raises NoSuchBucket, Unsettled.
        """

    def change_history(  # type: ignore[no-untyped-def]
        bucket: str, key: bytes, rule, version_id: str | None = None, upload_id: str | None = None
    ):
        """Applies ``rule(bucket_record, history) -> Change`` as one atomic step and returns an :class:`Applied`.

        The rule sees a part of the history, so that a step costs the same however large the whole is: the newest two versions, the null
        version, that of ``version_id``, and the upload of ``upload_id``. What it does not see stays as it is, and so do its places: a
        version that the rule adds becomes the newest, and an upload the last one. A version that it did not see cannot become the newest
        one (ValueError). Applied tells of the same part.

        The rule is pure and may be called again. What it raises leaves everything as it was. A blob of a new version must have been
        committed before; the driver may move its bytes and so rename it (``Applied.after`` has the names in force). Parts of uploads
        that the new history no longer has are forgotten. Raises NoSuchBucket, and what the rule raises.
        """

    def page(bucket: str, prefix: bytes, start: bytes, limit: int, what: str, after_id: str | None = None):  # type: ignore[no-untyped-def]
        """Up to ``limit`` :class:`~gecko_tw.store.requests.Listed` of keys ``>= start`` with ``prefix``, in byte order.

        ``what`` is ``"objects"`` (newest versions that are no delete markers), ``"versions"`` (newest first in a key) or
        ``"uploads"`` (oldest first in a key). With ``after_id``, of the key ``start`` only what follows that id. Raises NoSuchBucket.
        """

    def add_part(bucket: str, key: bytes, upload_id: str, part, check=None):  # type: ignore[no-untyped-def]
        """Adds or replaces a Part and gives the upload a new revision; returns the replaced Part or None.

        ``check`` is as :class:`~gecko_tw.store.records.Change` has it. Raises NoSuchUpload, and what ``check`` raises.
        """

    def parts(bucket: str, key: bytes, upload_id: str, after: int, limit: int):  # type: ignore[no-untyped-def]
        """Up to ``limit`` Parts with numbers greater than ``after``, by number. Raises NoSuchUpload."""

    def references(blobs):  # type: ignore[no-untyped-def]
        """Those of the given blob names that some version or part holds, as a set."""

    def spanned(limit: int):  # type: ignore[no-untyped-def]
        """Up to ``limit`` ``(bucket, key)`` pairs whose newest version has more than one span: uploads not yet joined."""


class IUsage(Interface):
    """Optional power of an ICatalog, got by ``IUsage(catalog, None)``: it obeys ``Change.check`` and the ``check`` of ``add_part``."""

    def usage(bucket: str):  # type: ignore[no-untyped-def]
        """What a bucket holds: a records.Usage. May take long the first time. Raises NoSuchBucket."""


class ICommonPrefixes(Interface):
    """Optional power of an ICatalog, got by ``ICommonPrefixes(catalog, None)``: it steps over what common prefixes hold."""

    def common_prefixes(bucket: str, request, start: bytes, limit: int, what: str):  # type: ignore[no-untyped-def]
        """Up to ``limit`` common prefixes of a requests.ListRequest with a delimiter, of lines as ``page`` has them.

        They are those of keys ``>= start`` in byte order, before the first key that has none. It may know none at all: then ``page``
        is asked. Raises NoSuchBucket.
        """


class IDocuments(Interface):
    """Small JSON values beside the buckets, shared by all processes of a deployment: identities, limits, keys. All of it survives."""

    def revision():  # type: ignore[no-untyped-def]
        """A number that is another one whenever a document was changed or a bucket's record was added, changed or removed.

        Takes microseconds where the catalog is ``quick``: whoever keeps something made of documents or records asks it first.
        """

    def get(kind: str, name: str):  # type: ignore[no-untyped-def]
        """The value, or None."""

    def all(kind: str):  # type: ignore[no-untyped-def]
        """All ``(name, value)`` of a kind, by name."""

    def change(kind: str, name: str, rule):  # type: ignore[no-untyped-def]
        """Replaces a value by ``rule(value or None)``, atomically, and returns it; None removes it.

        The rule is pure and may be called again. What it raises leaves everything as it was.
        """


class INotices(Interface):
    """Events that wait until they are delivered, oldest first; they outlive processes.

    A catalog adds the ``notices`` of a Change in the step that makes the change.
    """

    def add(notices):  # type: ignore[no-untyped-def]
        """Adds records.Notice at the end."""

    def targets():  # type: ignore[no-untyped-def]
        """The destinations for which something waits."""

    def waiting(target: str, limit: int):  # type: ignore[no-untyped-def]
        """Up to ``limit`` ``(number, event)`` for a destination. Numbers grow; an event's own is its place among all."""

    def drop(numbers):  # type: ignore[no-untyped-def]
        """Forgets those that were delivered."""


class IBlobs(Interface):
    """Bytes, written once and never changed."""

    def create():  # type: ignore[no-untyped-def]
        """A new :class:`IBlobWriter`."""

    def open(blob: str):  # type: ignore[no-untyped-def]
        """An :class:`IBlobReader`. Raises BlobGone."""

    def remove(blobs):  # type: ignore[no-untyped-def]
        """Drops blobs; those already gone, or that a catalog of this driver keeps as visible files, are passed over."""

    def release(blobs):  # type: ignore[no-untyped-def]
        """Tells that a committed step of this driver's catalog has let go of blobs: no version and no part holds them any more.

        They go as soon as no power failure can take that step back; whoever has opened one reads on.
        """

    def older_than(seconds: float):  # type: ignore[no-untyped-def]
        """Iterates over names of blobs, staged bodies included, that are older: candidates for the sweeper."""


class IBlobWriter(Interface):
    """One blob on its way in."""

    def write(data: bytes):  # type: ignore[no-untyped-def]
        """Appends. Raises InsufficientStorage when the disk is full."""

    def commit(note):  # type: ignore[no-untyped-def]
        """Makes the blob durable (as far as the driver was asked to) and returns its name.

        ``note`` is a :class:`BlobNote`: what to write beside the bytes so that a catalog can be rebuilt from them.
        """

    def abort():  # type: ignore[no-untyped-def]
        """Forgets it. Harmless when repeated or after commit."""


class IBlobReader(Interface):
    """An opened blob; stays readable when the blob is removed meanwhile."""

    size = Attribute("its length in bytes")

    def fileno():  # type: ignore[no-untyped-def]
        """A file descriptor whose offset 0 is the blob's first byte, or None when there is none (no sendfile then)."""

    def read(offset: int, length: int):  # type: ignore[no-untyped-def]
        """Bytes, fewer only at the end."""

    def close():  # type: ignore[no-untyped-def]
        """Releases it. Harmless when repeated."""


class IBlobCloning(Interface):
    """Optional power of an IBlobs: copying without passing the bytes through Python."""

    def clone(spans, note):  # type: ignore[no-untyped-def]
        """A new committed blob with the bytes of the spans; returns its name. Raises BlobGone."""

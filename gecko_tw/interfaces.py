"""Every interface of gecko_tw: verbs only, each method naming its refusals (classes of ``store/refusals.py``).

Three groups: what drivers implement (plain blocking code, safe to call from any thread), what the store offers to the floors above
it (blocking as well), and what the wire offers to ``resources/``.
"""

from zope.interface import Attribute, Interface

# ---- drivers -----------------------------------------------------------------------------------------------------------------


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

    def history(bucket: str, key: bytes, version_id: str | None = None):  # type: ignore[no-untyped-def]
        """The KeyHistory; empty for an unknown key. May leave out versions other than the newest and ``version_id``.

        Raises NoSuchBucket, Unsettled.
        """

    def change_history(bucket: str, key: bytes, rule, version_id: str | None = None):  # type: ignore[no-untyped-def]
        """Applies ``rule(bucket_record, history) -> Change`` as one atomic step and returns an :class:`Applied`.

        The rule is pure and may be called again. What it raises leaves everything as it was. A blob of a new version must have been
        committed before; the driver may move its bytes and so rename it (``Applied.after`` has the names in force). Parts of uploads
        that the new history no longer has are forgotten. Raises NoSuchBucket, and what the rule raises.
        """

    def page(bucket: str, prefix: bytes, start: bytes, limit: int, what: str, after_id: str | None = None):  # type: ignore[no-untyped-def]
        """Up to ``limit`` :class:`~gecko_tw.store.requests.Listed` of keys ``>= start`` with ``prefix``, in byte order.

        ``what`` is ``"objects"`` (newest versions that are no delete markers), ``"versions"`` (newest first in a key) or
        ``"uploads"`` (oldest first in a key). With ``after_id``, of the key ``start`` only what follows that id. Raises NoSuchBucket.
        """

    def add_part(bucket: str, key: bytes, upload_id: str, part):  # type: ignore[no-untyped-def]
        """Adds or replaces a Part and gives the upload a new revision; returns the replaced Part or None. Raises NoSuchUpload."""

    def parts(bucket: str, key: bytes, upload_id: str, after: int, limit: int):  # type: ignore[no-untyped-def]
        """Up to ``limit`` Parts with numbers greater than ``after``, by number. Raises NoSuchUpload."""

    def references(blobs):  # type: ignore[no-untyped-def]
        """Those of the given blob names that some version or part holds, as a set."""

    def spanned(limit: int):  # type: ignore[no-untyped-def]
        """Up to ``limit`` ``(bucket, key)`` pairs that have a version of more than one span: completed uploads not yet joined."""


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


class IBlobs(Interface):
    """Bytes, written once and never changed."""

    def create():  # type: ignore[no-untyped-def]
        """A new :class:`IBlobWriter`."""

    def open(blob: str):  # type: ignore[no-untyped-def]
        """An :class:`IBlobReader`. Raises BlobGone."""

    def remove(blobs):  # type: ignore[no-untyped-def]
        """Drops blobs; those already gone, or that a catalog of this driver keeps as visible files, are passed over."""

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


# ---- the store ---------------------------------------------------------------------------------------------------------------


class IBuckets(Interface):
    """The verbs of buckets. All of them block."""

    def page(prefix: str, after: str, limit: int):  # type: ignore[no-untyped-def]
        """A list of BucketRecords by name."""

    def get(name: str):  # type: ignore[no-untyped-def]
        """The BucketRecord. Raises NoSuchBucket."""

    def create(record):  # type: ignore[no-untyped-def]
        """Adds it. Raises InvalidBucketName, BucketAlreadyOwnedByYou (same owner), BucketAlreadyExists."""

    def remove(name: str):  # type: ignore[no-untyped-def]
        """Removes it. Raises NoSuchBucket, BucketNotEmpty."""

    def change(name: str, rule):  # type: ignore[no-untyped-def]
        """``rule(BucketRecord) -> BucketRecord`` as one atomic step. Raises NoSuchBucket and what the rule raises."""


class IIncoming(Interface):
    """A body on its way into the store. ``push`` never blocks; everything else does."""

    size = Attribute("bytes pushed so far")
    pending = Attribute("bytes pushed and not yet flushed")

    def push(data: bytes):  # type: ignore[no-untyped-def]
        """Takes bytes into memory."""

    def flush():  # type: ignore[no-untyped-def]
        """Hashes and writes what is pending. Raises InsufficientStorage."""

    def abort():  # type: ignore[no-untyped-def]
        """Forgets the body. Harmless when repeated, or after put and put_part, which call it themselves when they refuse."""


class IReading(Interface):
    """A version opened for reading. ``read`` and ``run`` block only for the disk."""

    version = Attribute("the Version")

    def read(offset: int, length: int):  # type: ignore[no-untyped-def]
        """Bytes of the object; fewer than ``length`` only at its end or at the end of a span, never none before the end."""

    def run(offset: int):  # type: ignore[no-untyped-def]
        """``(file descriptor, offset in the file, bytes that follow in that file)``, or None when there is no file to send."""

    def close():  # type: ignore[no-untyped-def]
        """Releases it. Harmless when repeated."""


class IObjects(Interface):
    """The verbs of objects. All of them block; ``look``, ``open`` and ``page`` may also raise Unsettled."""

    def receive(algorithms):  # type: ignore[no-untyped-def]
        """An IIncoming that computes these digests (names as in records.Checksum; the ETag's MD5 needs no naming)."""

    def allow(bucket: str, key: bytes, conditions):  # type: ignore[no-untyped-def]
        """Whether a write may begin (requests.WriteConditions): asked before a body is read, and decided again at commit.

        Quick, may raise Unsettled. Raises NoSuchBucket, KeyTooLongError, PreconditionFailed, NoSuchKey.
        """

    def put(bucket: str, key: bytes, incoming, request):  # type: ignore[no-untyped-def]
        """Commits a body as an object (requests.Put) and returns its Version.

        Raises NoSuchBucket, KeyTooLongError, IncompleteBody, BadDigest, XAmzContentSHA256Mismatch, PreconditionFailed, NoSuchKey
        (If-Match on a missing key), InsufficientStorage; then the old object is untouched and the body forgotten.
        """

    def look(bucket: str, key: bytes, version_id: str | None = None):  # type: ignore[no-untyped-def]
        """The current, or the named, Version. Raises NoSuchBucket, NoSuchKey, NoSuchVersion."""

    def open(bucket: str, key: bytes, version_id: str | None = None):  # type: ignore[no-untyped-def]
        """The same, opened: an IReading, to be closed by the caller. Raises as ``look``."""

    def remove(bucket: str, key: bytes, request):  # type: ignore[no-untyped-def]
        """Deletes (requests.Remove) and returns a requests.Removed; a missing key is fine unless a condition names it.

        Raises NoSuchBucket, PreconditionFailed, NoSuchKey.
        """

    def copy(source, bucket: str, key: bytes, request):  # type: ignore[no-untyped-def]
        """Copies a requests.Source by requests.Copy and returns the new Version. Raises as ``look``, ``put``, ``source.check``."""

    def page(bucket: str, request, what: str = "objects"):  # type: ignore[no-untyped-def]
        """A requests.Page for a requests.ListRequest; ``what`` as in ICatalog.page. Raises NoSuchBucket."""


class IUploads(Interface):
    """The verbs of multipart uploads. All of them block."""

    def create(bucket: str, key: bytes, upload):  # type: ignore[no-untyped-def]
        """Starts a records.Upload. Raises NoSuchBucket, KeyTooLongError."""

    def get(bucket: str, key: bytes, upload_id: str):  # type: ignore[no-untyped-def]
        """The Upload. Raises NoSuchBucket, NoSuchUpload."""

    def put_part(bucket: str, key: bytes, upload_id: str, incoming, request):  # type: ignore[no-untyped-def]
        """Commits a body as a part (requests.PutPart) and returns its Part. Raises NoSuchUpload and as IObjects.put."""

    def copy_part(source, bucket: str, key: bytes, upload_id: str, number: int, now: int):  # type: ignore[no-untyped-def]
        """Copies (a range of) an object as a part and returns its Part. Raises as IObjects.look and put_part."""

    def parts(bucket: str, key: bytes, upload_id: str, after: int, limit: int):  # type: ignore[no-untyped-def]
        """Up to ``limit`` Parts with numbers greater than ``after``. Raises NoSuchUpload."""

    def complete(bucket: str, key: bytes, upload_id: str, request):  # type: ignore[no-untyped-def]
        """Joins parts to an object (requests.Complete) and returns its Version; repeatable.

        Raises NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall, InvalidRequest, BadDigest, PreconditionFailed, NoSuchKey.
        """

    def abort(bucket: str, key: bytes, upload_id: str):  # type: ignore[no-untyped-def]
        """Forgets the upload and its parts. Raises NoSuchUpload."""

    def page(bucket: str, request):  # type: ignore[no-untyped-def]
        """A requests.Page of uploads for a requests.ListRequest. Raises NoSuchBucket."""


# ---- the wire ----------------------------------------------------------------------------------------------------------------


class IUpload(Interface):
    """The body of a request, on its way in. An ``IPushProducer`` for whoever it is delivered to."""

    length = Attribute("Content-Length in bytes; 0 when the request has no body; None when it is chunked")

    def deliver(consumer):  # type: ignore[no-untyped-def]
        """Sends ``100 Continue`` when the client waits for it, then the body to an ``IConsumer``, with back-pressure.

        Returns a Deferred that fires with None after the last byte, and fails with :class:`UploadCut` when the client left, stalled,
        or broke the framing. May be called once.
        """

    def drain():  # type: ignore[no-untyped-def]
        """The body is not wanted: reads and drops a small rest so that the connection can go on, else closes it after the answer."""


class UploadCut(Exception):  # noqa: N818 - a signal, not an error
    """The body ended before its end: the client left, stalled, or broke the framing."""


class UploadStalled(UploadCut):
    """The client has stopped sending its body, or takes too long over it."""


class IWireRequest(Interface):
    """What ``wire/request.py`` offers beside ``twisted.web.iweb.IRequest``."""

    head = Attribute("the gecko_tw.head.Head")
    upload = Attribute("the IUpload")

    def answer(status: int, headers, body: bytes = b""):  # type: ignore[no-untyped-def]
        """Sends a whole answer in one write and finishes the request.

        ``headers`` is a list of (name, value) byte pairs. Content-Length is added (unless it is given, as for HEAD), Date and
        Server too. For HEAD, 204 and 304 the body is not sent.
        """

    def answer_spans(status: int, headers, reading, offset: int, length: int, pool):  # type: ignore[no-untyped-def]
        """The same with ``length`` bytes of an IReading from ``offset``; blocking reads run in ``pool`` (IPool). Closes ``reading``.

        Returns a Deferred that fires with the number of bytes sent once all is handed over, and fails when the client leaves.
        """

    def answer_slowly(status: int, headers):  # type: ignore[no-untyped-def]
        """Sends the head of a chunked answer now and returns a ``write(data)`` and a ``finish()`` (long Complete: white space first)."""

    def abort():  # type: ignore[no-untyped-def]
        """Drops the connection, so that what was sent of an answer cannot be taken for all of it."""


class IPool(Interface):
    """A named pool of threads."""

    def run(function, *arguments, **named):  # type: ignore[no-untyped-def]
        """Calls ``function`` in a thread of the pool. Returns a Deferred of its result or its exception."""


# ---- dropins -----------------------------------------------------------------------------------------------------------------


class IOperationFamily(Interface):
    """A description of operations that somebody adds: published by a dropin in ``gecko_tw/plugins``, cheap to import."""

    name = Attribute("who owns the operations, shown when two claim the same request")

    def load():  # type: ignore[no-untyped-def]
        """The rows (resources.operations.Operation), imported only now."""

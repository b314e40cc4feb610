"""What the store offers to the floors above it, and the key management that it uses; all of it blocks."""

from zope.interface import Attribute, Interface


class IBuckets(Interface):
    """The verbs of buckets. All of them block."""

    def page(prefix: str, after: str, limit: int):  # type: ignore[no-untyped-def]
        """A list of BucketRecords by name."""

    def get(name: str):  # type: ignore[no-untyped-def]
        """The BucketRecord. Raises NoSuchBucket, InvalidBucketName (no bucket can have it)."""

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

    def push(data: bytes | memoryview):  # type: ignore[no-untyped-def]
        """Takes bytes into memory. What a memoryview shows must not change before it is flushed."""

    def flush():  # type: ignore[no-untyped-def]
        """Hashes and writes what is pending. Raises InsufficientStorage."""

    def tasks(threads: int):  # type: ignore[no-untyped-def]
        """What ``flush`` would do now, as a list of functions that up to ``threads`` threads may call side by side.

        All have returned before anything else is asked for.
        """

    def abort():  # type: ignore[no-untyped-def]
        """Forgets the body. Harmless when repeated, or after put and put_part, which call it themselves when they refuse."""


class IReading(Interface):
    """A version opened for reading. ``read`` and ``run`` block only for the disk."""

    version = Attribute("the Version")

    def read(offset: int, length: int):  # type: ignore[no-untyped-def]
        """Bytes of the object; fewer than ``length`` only at its end or at the end of a span, never none before the end."""

    def run(offset: int):  # type: ignore[no-untyped-def]
        """``(file descriptor, offset in the file, bytes that follow in that file)``, or None when there is no file to send,
        or the version is gone: ``read`` tells."""

    def ready(offset: int, length: int):  # type: ignore[no-untyped-def]
        """As ``read``, when the bytes are in memory already; else, and when the version is gone, None: ``read`` tells."""

    def close():  # type: ignore[no-untyped-def]
        """Releases it. Harmless when repeated."""


class IObjects(Interface):
    """The verbs of objects. All of them block; ``look``, ``open`` and ``page`` may also raise Unsettled."""

    keys = Attribute("the store.data_keys.DataKeys of encrypted objects; its methods may block")

    def receive(algorithms, sealing=None):  # type: ignore[no-untyped-def]
        """An IIncoming that computes these digests (names as in records.Checksum; the ETag's MD5 needs no naming).

        ``sealing()`` makes the data_keys.Seal that it is encrypted with; it is called once, by ``flush`` or later.
        """

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
        """The current, or the named, Version. Raises NoSuchBucket, NoSuchKey, NoSuchVersion, DeleteMarkerNamed."""

    def open(bucket: str, key: bytes, version_id: str | None = None):  # type: ignore[no-untyped-def]
        """The same, opened: an IReading, to be closed by the caller. Raises as ``look``."""

    def remove(bucket: str, key: bytes, request):  # type: ignore[no-untyped-def]
        """Deletes (requests.Remove) and returns a requests.Removed; a missing key is fine unless a condition names it.

        Raises NoSuchBucket, PreconditionFailed, NoSuchKey, NoSuchVersion (a condition on a missing version), ObjectLocked.
        """

    def amend(bucket: str, key: bytes, version_id: str | None, change):  # type: ignore[no-untyped-def]
        """Changes what is kept beside the bytes of the current, or the named, version, atomically, and returns the Version.

        ``change(version, bucket_record) -> Version`` is pure and may be called again; only its headers, metadata, tags, owner and
        extra count. Raises NoSuchBucket, NoSuchKey, NoSuchVersion, DeleteMarkerNamed, and what ``change`` raises.
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


class IKeyManagement(Interface):
    """Keys that wrap data keys (SSE-S3, SSE-KMS). Every method may block, and be called from any thread."""

    def new_data_key(key_id: str, context: str):  # type: ignore[no-untyped-def]
        """A new data key, wrapped in the key ``key_id`` and bound to ``context``: ``(32 bytes, text that opens it again)``.

        Raises KeyNotFound.
        """

    def open_data_key(key_id: str, sealed: str, context: str):  # type: ignore[no-untyped-def]
        """The 32 bytes that :meth:`new_data_key` wrapped. Raises KeyNotFound, which also says that the text is none of this key's."""

"""What a server tells its clients, read from metadata."""

from attrs import frozen

from gecko_tw.native.frames import Fields


@frozen
class BucketInfo:
    """A bucket; ``created`` as RFC 3339, ``visibility`` ``private`` or ``public-read``."""

    id: str
    name: str
    created: str
    visibility: str


@frozen
class ObjectInfo:
    """An object.

    :ivar etag: without quotes.
    :ivar sha256: in hexadecimal digits; empty where the store keeps another checksum.
    :ivar last_modified: RFC 3339.
    """

    content_type: str
    size: int
    etag: str
    sha256: str
    last_modified: str
    metadata: dict[str, str]


@frozen
class Written:
    """What was stored; ``sha256`` as in ObjectInfo."""

    etag: str
    sha256: str


@frozen
class Completed:
    """An object that was made of parts; ``sha256`` as in ObjectInfo."""

    etag: str
    sha256: str
    size: int


@frozen
class ListedObject:
    """One line of a listing; the server may leave ``content_type`` empty."""

    key: str
    size: int
    etag: str
    sha256: str
    last_modified: str
    content_type: str


@frozen
class Listing:
    """A page of keys.

    :ivar truncated: whether something follows; then ``next_start_after`` begins the next page.
    """

    objects: list[ListedObject]
    prefixes: list[str]
    truncated: bool
    next_start_after: str


@frozen
class PartInfo:
    """A part of an upload under way."""

    number: int
    size: int
    etag: str
    sha256: str


def nothing(_fields: Fields) -> None:
    """There is nothing to be told."""


def bucket_info(fields: Fields) -> BucketInfo:
    return BucketInfo(fields.text(), fields.text(), fields.text(), fields.text())


def bucket_list(fields: Fields) -> list[tuple[str, str]]:
    """Names, and when they were created."""
    return [(fields.text(), fields.text()) for _ in range(fields.count())]


def object_info(fields: Fields) -> ObjectInfo:
    return ObjectInfo(fields.text(), fields.i64(), fields.text(), fields.text(), fields.text(), fields.mapping())


def written(fields: Fields) -> Written:
    return Written(fields.text(), fields.text())


def completed(fields: Fields) -> Completed:
    return Completed(fields.text(), fields.text(), fields.i64())


def listing(fields: Fields) -> Listing:
    objects = [_listed(fields) for _ in range(fields.count())]
    return Listing(objects, fields.strings(), fields.boolean(), fields.text())


def _listed(fields: Fields) -> ListedObject:
    key, size, etag = fields.text(), fields.i64(), fields.text()
    return ListedObject(key, size, etag, fields.text(), fields.text(), fields.text())


def part_list(fields: Fields) -> list[PartInfo]:
    return [PartInfo(fields.i32(), fields.i64(), fields.text(), fields.text()) for _ in range(fields.count())]

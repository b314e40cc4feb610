"""What a step is about to do to the files of a key, noted in the journal before it does it: enough to put everything back.

A note's text is marks separated by spaces. Each is a letter and a name.
"""

from attrs import frozen

_KEPT, _PLACED, _CREATED, _DESCRIBED, _UPLOAD = "xfcdu"


def kept(name: str) -> str:
    """The file at the key's path goes to staging under this name."""
    return _KEPT + name


def placed(size: int, mtime: int) -> str:
    """A file of this size and modification time (nanoseconds) comes to the key's path."""
    return f"{_PLACED}{size}.{mtime}"


def created(name: str) -> str:
    """Files of ours of this name are made, or moved to the pool."""
    return _CREATED + name


def described(blob: str = "") -> str:
    """The description of a pool blob changes; without a name that of the file at the key's path."""
    return _DESCRIBED + blob


def upload(path: str) -> str:
    """The file of an upload's record (its path below ``.geckos3``) is written or removed."""
    return _UPLOAD + path


@frozen
class Marks:
    """The marks of a key."""

    kept: tuple[str, ...] = ()
    placed: tuple[tuple[int, int], ...] = ()
    created: tuple[str, ...] = ()
    described: tuple[str, ...] = ()
    uploads: tuple[str, ...] = ()


def marks_of(texts: list[bytes]) -> Marks:
    """The reverse, of all notes of a key. What is no mark is passed over: an older version noted other things."""
    found: dict[str, list[str]] = {letter: [] for letter in (_KEPT, _PLACED, _CREATED, _DESCRIBED, _UPLOAD)}
    for text in texts:
        for mark in text.decode("ascii", "replace").split():
            found.get(mark[0], []).append(mark[1:])
    fingerprints = [one.partition(".")[::2] for one in found[_PLACED]]
    return Marks(
        kept=tuple(found[_KEPT]),
        placed=tuple((int(size), int(mtime)) for size, mtime in fingerprints if size.isdigit() and mtime.isdigit()),
        created=tuple(found[_CREATED]),
        described=tuple(found[_DESCRIBED]),
        uploads=tuple(found[_UPLOAD]),
    )

"""Where the bytes of large blobs are kept, as ``--blobs`` names it."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol
from urllib.parse import parse_qsl

from gecko_tw.store.drivers.postgresql.blob_rows import BlobRows
from gecko_tw.store.drivers.postgresql.blocks import Blocks
from gecko_tw.store.drivers.postgresql.connections import Connections
from gecko_tw.store.drivers.postgresql.files import SharedFiles

FILES, S3, RADOS = "files:", "s3:", "rados:"
"""What ``--blobs`` begins with where it does not name the catalog's database."""

_HERE = __name__.rpartition(".")[0]
_HINTS = {
    "s3": "`pip install 'gecko-tw[s3]'` installs it",
    "rados": "Debian's package python3-rados has it, and docs/scale.md says how a virtual environment gets it",
}


class Target(Protocol):
    """A bucket of another S3, as a setting has it.

    :ivar endpoint: its URL, without a path.
    :ivar prefix: what the keys of all blobs begin with.
    :ivar place: where it is, for messages.
    """

    @property
    def name(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def bucket(self) -> str: ...
    @property
    def access_key(self) -> str: ...
    @property
    def secret_key(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def prefix(self) -> str: ...
    @property
    def place(self) -> str: ...


# Any: an IBytes, as zope has it. Modules with a client are imported where it is used: most deployments need none.
def bytes_of(blobs: str, targets: Sequence[Target | None]) -> Callable[[Connections], Any]:
    """What makes the IBytes that a text names.

    :param targets: those of ``--s3-target``.
    :raises ValueError: with a line for the user.
    """
    if blobs.startswith(FILES):
        return lambda connections: SharedFiles(BlobRows(connections), blobs.removeprefix(FILES))
    if blobs.startswith(S3):
        name = blobs.removeprefix(S3)
        target = {one.name: one for one in targets if one is not None}.get(name)
        if target is None:
            raise ValueError(f"--blobs: there is no --s3-target named {name!r}")
        objects = _module("s3").S3Objects
        return lambda connections: objects(BlobRows(connections), target)
    if blobs.startswith(RADOS):
        pool, _, options = blobs.removeprefix(RADOS).partition("?")
        striped, place = _module("rados").RadosObjects, dict(parse_qsl(options))
        return lambda connections: striped(BlobRows(connections), pool, **place)
    return Blocks


def _module(name: str) -> Any:
    """Raises ValueError where the client that it needs is not installed."""
    try:
        return import_module(f"{_HERE}.{name}")
    except ImportError as problem:
        raise ValueError(f"--blobs: {problem}; {_HINTS[name]}") from problem

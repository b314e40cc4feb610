"""Files for the tests to store: a tree with names that are awkward somewhere, and one large file."""

import hashlib
import os
import random
from pathlib import Path

from attrs import frozen

NAMES = (
    "plain.txt",
    "two words.txt",
    " leading and trailing ",
    "plus+plus.txt",
    "per%cent%41.txt",
    "täglich/größe/日本語.txt",
    "emoji 🦎/🦎.bin",
    "deep/er/and/deep/er/still/file",
    "deep/er/sibling",
    ".hidden/.file",
    "a=b&c=d;e:f@g,h!.txt",
    "quotes'and(brackets)[too].txt",
    "hash#tag~tilde^caret.txt",
    "x" * 200,
    "empty",
    "folder/empty too",
)
"""Paths of the tree's files. Those with ``empty`` in their name hold no byte."""

WRITTEN = 1_700_000_000_123_456_789
"""When the first of them was written, in nanoseconds; the others a second and a bit later each."""


@frozen
class Large:
    """A large file.

    :ivar size: bytes.
    :ivar md5: in hex.
    """

    path: Path
    size: int
    md5: str


def make_tree(folder: Path) -> dict[str, str]:
    """Writes the tree into ``folder`` and returns what :func:`contents` does."""
    for number, name in enumerate(NAMES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if "empty" in name else some_bytes(1000 * number + 1, number))
        os.utime(path, ns=(WRITTEN, WRITTEN + number * 1_000_000_007))
    return contents(folder)


def contents(folder: Path) -> dict[str, str]:
    """The MD5 in hex of every file below ``folder``, by its path from there."""
    return {str(path.relative_to(folder)): md5_of(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def make_large(path: Path, megabytes: int) -> Large:
    """Writes a file of so many MiB that no two of are alike."""
    with path.open("wb") as file:
        for number in range(megabytes):
            file.write(some_bytes(1 << 20, number))
    return Large(path, path.stat().st_size, md5_of(path))


def some_bytes(size: int, seed: int = 0) -> bytes:
    """The same random bytes for the same arguments."""
    return random.Random(seed).randbytes(size)


def md5_of(path: Path) -> str:
    """The MD5 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()

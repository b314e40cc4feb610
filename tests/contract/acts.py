"""What the contract's tests do to any driver, in one word each."""

import hashlib
from collections.abc import Callable
from typing import Any

from attrs import evolve
from hypothesis import strategies as st

from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import (
    Applied,
    BlobNote,
    BucketRecord,
    Change,
    DeleteMarker,
    KeyHistory,
    Part,
    Span,
    Upload,
    Version,
)

NOW = 1_700_000_000_000_000_000

ODD_KEYS = (
    *(
        b"a",
        b"a/",
        b"a/b",
        b"a//",
        b"a//b",
        b"/",
        b"//",
        b".",
        b"..",
        b"./",
        b"../a",
        b"a/./b",
        b"a/../b",
        b"/a",
        b"a/b/",
    ),
    *(
        b"A",
        b"a/B",
        b"Stra\xc3\x9fe",
        b"STRASSE",
        b"\xc3\xa9",
        b"e\xcc\x81",
        b"\xff",
        b"\xff\xff",
        b"a\xff/b",
        b"\xed\xa0\x80",
    ),
    *(
        b"\0",
        b"a\0b",
        b"\n",
        b"a\nb",
        b"\x7f",
        b"\x1b[0m",
        b" ",
        b" a ",
        b"a.",
        b"a\\b",
        b"c:",
        b"*",
        b"%2F",
        b"+",
        b"~",
    ),
    *(b"y" * 255, b"y" * 256, b"y" * 300, b"d/" + b"z" * 300 + b"/e", b"x" * 1024, b"/" * 1024, b"q/" * 512),
    *(b".geckos3", b".geckos3/catalog.sqlite", b"a.metadata.json", b".a.metadata.json", b"a/.geckos3", b"a.tmp"),
)
"""Keys that a tree of files finds hard."""

KEYS = st.one_of(
    st.sampled_from(ODD_KEYS),
    st.lists(st.sampled_from([b"a", b"b", b"A", b"/", b".", b"\xff"]), min_size=1, max_size=6).map(b"".join),
    st.binary(min_size=1, max_size=40),
    st.builds(lambda start, length: (start * 1024)[:length], st.binary(min_size=1, max_size=3), st.integers(1, 1024)),
)

BODIES = st.one_of(st.binary(max_size=40), st.integers(0, 255).map(lambda byte: bytes([byte]) * 70_000))


def a_bucket(driver: Any, name: str = "photos") -> str:
    driver.catalog.add_bucket(BucketRecord(name=name, created=NOW, owner="owner"))
    return name


def described(data: bytes, **more: Any) -> Version:
    """A Version of these bytes that has no place for them yet."""
    etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return Version(**{"etag": etag, "size": len(data), "modified": NOW, "owner": "owner", **more})


def commit(driver: Any, data: bytes, note: BlobNote) -> Span:
    writer = driver.blobs.create()
    try:
        writer.write(data[:7])
        writer.write(data[7:])
        return Span(writer.commit(note), 0, len(data))
    finally:
        writer.abort()


def change(driver: Any, bucket: str, key: bytes, function: Callable[[KeyHistory], KeyHistory], *named: Any) -> Applied:
    """``change_history`` by a function of the history alone; ``named`` are a version's id and an upload's."""
    return driver.catalog.change_history(bucket, key, lambda _record, history: Change(function(history)), *named)


def on_top(history: KeyHistory, version: Version | DeleteMarker) -> KeyHistory:
    """The version becomes the newest and replaces the one of the same id."""
    others = tuple(other for other in history.versions if other.version_id != version.version_id)
    return evolve(history, versions=(version, *others))


def put(driver: Any, bucket: str, key: bytes, data: bytes, **more: Any) -> Version:
    """Commits bytes and makes them the newest version; returns it as the driver keeps it."""
    version = described(data, **more)
    span = commit(driver, data, BlobNote(bucket=bucket, key=key, record=version))
    version = evolve(version, spans=(span,))
    applied = change(driver, bucket, key, lambda history: on_top(history, version), version.version_id)
    newest = applied.after.newest
    assert newest is not None
    return newest


def mark_deleted(driver: Any, bucket: str, key: bytes, version_id: str) -> None:
    marker = DeleteMarker(version_id=version_id, modified=NOW, owner="owner")
    change(driver, bucket, key, lambda history: on_top(history, marker))


def forget(driver: Any, bucket: str, key: bytes, version_id: str = "null") -> None:
    """The version goes, its bytes too."""
    applied = driver.catalog.change_history(
        bucket,
        key,
        lambda _record, history: Change(
            evolve(history, versions=tuple(v for v in history.versions if v.version_id != version_id))
        ),
        version_id,
    )
    drop_unheld(driver, applied)


def drop_unheld(driver: Any, applied: Applied) -> None:
    """What the kernel does after each step: blobs that no version holds any more are removed."""
    held = {span.blob for version in applied.after.versions for span in getattr(version, "spans", ())}
    were = {span.blob for version in applied.before.versions for span in getattr(version, "spans", ())}
    driver.blobs.remove(were - held)


def begin(driver: Any, bucket: str, key: bytes, upload_id: str, **more: Any) -> Upload:
    upload = Upload(**{"id": upload_id, "initiated": NOW, "owner": "owner", **more})
    change(driver, bucket, key, lambda history: evolve(history, uploads=(*history.uploads, upload)))
    return upload


def give_up(driver: Any, bucket: str, key: bytes, upload_id: str) -> None:
    change(
        driver,
        bucket,
        key,
        lambda history: evolve(history, uploads=tuple(u for u in history.uploads if u.id != upload_id)),
        None,
        upload_id,
    )


def send_part(driver: Any, bucket: str, key: bytes, upload_id: str, number: int, data: bytes) -> Part | None:
    """Commits bytes as a part; returns the Part that it replaced."""
    etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
    part = Part(number=number, etag=etag, size=len(data), modified=NOW, spans=())
    span = commit(driver, data, BlobNote(bucket=bucket, key=key, record=part, upload=upload_id))
    return driver.catalog.add_part(bucket, key, upload_id, evolve(part, spans=(span,)))


def look(
    driver: Any, bucket: str, key: bytes, version_id: str | None = None, upload_id: str | None = None
) -> KeyHistory:
    return reconciled(driver.catalog.history, bucket, key, version_id, False, upload_id)


def upload_of(driver: Any, bucket: str, key: bytes, upload_id: str) -> Upload | None:
    return look(driver, bucket, key, None, upload_id).upload(upload_id)


def content(driver: Any, record: Version | Part) -> bytes:
    """All bytes of a version or part."""
    return b"".join(_read(driver, span) for span in record.spans)


def _read(driver: Any, span: Span) -> bytes:
    reader = reconciled(driver.blobs.open, span.blob)
    try:
        data = bytearray()
        while len(data) < span.length:
            chunk = reader.read(span.offset + len(data), span.length - len(data))
            assert chunk, f"{span} ends after {len(data)} bytes"
            data += chunk
        return bytes(data)
    finally:
        reader.close()


def every_page(driver: Any, bucket: str, what: str, prefix: bytes = b"", size: int = 3) -> list[tuple[bytes, str]]:
    """Key and id of every line of a listing, fetched in pages of ``size``."""
    lines: list[tuple[bytes, str]] = []
    start, after_id = prefix, None
    while page := driver.catalog.page(bucket, prefix, start, size, what, after_id):
        lines += [(line.key, line.id) for line in page]
        if what == "objects":
            start = page[-1].key + b"\0"
        else:
            start, after_id = page[-1].key, page[-1].id
    return lines


def sweep(driver: Any) -> None:
    """Removes every blob, however young, that no version and no part holds."""
    driver.flush()
    candidates = list(driver.blobs.older_than(-60))
    driver.blobs.remove(set(candidates) - driver.catalog.references(candidates))

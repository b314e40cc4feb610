"""A data directory as GeckoS3 leaves it, written by the description of its format alone."""

import json
import os
from hashlib import md5
from pathlib import Path
from typing import Any

SECOND = 1_000_000_000
THEN = 1_690_000_000 * SECOND
UPLOAD = "00112233445566778899aabbccddeeff"


def digest(data: bytes) -> str:
    return md5(data, usedforsecurity=False).hexdigest()


def an_object(bucket: Path, key: str, data: bytes, **fields: Any) -> None:
    """An object with its sidecar, which is written a moment later."""
    path = bucket / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)
    os.utime(path, ns=(THEN, THEN))
    said = {"size": len(data), "lastModified": "2023-07-22T04:26:40.25Z", "etag": f'"{digest(data)}"', **fields}
    sidecar = path.with_name(path.name + ".metadata.json")
    sidecar.write_text(json.dumps(said, ensure_ascii=False, separators=(",", ":")))


def a_data_directory(folder: Path) -> None:
    """Two buckets, objects of every kind, litter, and an unfinished upload."""
    photos = folder / "photos"
    photos.mkdir(parents=True)
    (folder / "some file").write_text("not a bucket")
    (folder / "empty-bucket").mkdir()
    an_object(
        photos,
        "album/cat.jpg",
        b"meow" * 100,
        contentType="image/jpeg",
        contentEncoding="aws-chunked",
        contentDisposition="inline",
        cacheControl="max-age=60",
        customMetadata={"camera": "é"},
    )
    an_object(photos, "joined", b"ab" * 50, etag=f'"{digest(b"ab" * 50)}-2"', contentType="application/octet-stream")
    (photos / "bare.txt").write_bytes(b"without a sidecar")
    os.utime(photos / "bare.txt", ns=(THEN, THEN))
    (photos / ".DS_Store").write_bytes(b"litter")
    (photos / ".metadata-tmp-123").write_bytes(b"litter")
    (photos / ".geckos3-tmp").mkdir()
    (photos / ".geckos3-tmp" / ".put-42").write_bytes(b"half a bo")
    an_upload(photos)


def an_upload(bucket: Path) -> None:
    room = bucket / ".geckos3-multipart" / UPLOAD
    room.mkdir(parents=True)
    (room / "manifest.json").write_text('{"contentType":"video/mp4","key":"films/one.mp4"}')
    (room / "part-00001.tmp").write_bytes(b"first part")
    (room / "part-00003.tmp").write_bytes(b"third part")
    (room / ".part-tmp-77").write_bytes(b"half a pa")

"""The least that a server like ours must do, to be measured beside it: a target beyond this cannot be met.

`python -m benchmarks.floor` takes requests with Twisted in two processes and keeps objects as the daemon does, in files with an attribute
each or in the pages of a catalog, with one catalog for both processes. It does nothing else. No signature is looked at, no
permission, no condition, no header but the length; there are no versions, no notes for who is killed in the middle, no log, no errors.
It is no server for anybody's data.
"""

import fcntl
import hashlib
import os
import socket
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path

import click
from attrs import define
from twisted.internet.protocol import Factory, Protocol

from gecko_tw.store.drivers.files.beneath import exchange

_SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE version (bucket_id INTEGER, key BLOB, etag TEXT, size INTEGER, modified INTEGER, record TEXT, blob INTEGER,
    PRIMARY KEY (bucket_id, key)) WITHOUT ROWID;
CREATE TABLE blob (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
"""
_RECORD = '{"content-type":"binary/octet-stream","owner":"0123456789abcdef","checksum":"0123456789abcdef"}'
_ANSWER = b'HTTP/1.1 200 OK\r\nServer: floor\r\nETag: "%s"\r\nContent-Length: %d\r\n\r\n'
_PUT = "INSERT OR REPLACE INTO version VALUES (1, ?, ?, ?, ?, ?, ?)"


@define(eq=False)
class Upload:
    """A body that has come."""

    connection: "Connection"
    path: str
    body: bytes
    etag: str = ""
    staged: str = ""
    file: int = -1


class Floor(Factory):
    """Objects of both kinds.

    :param data: a directory with a catalog (:func:`make`).
    :param pool: whether bytes are in the catalog.
    :param fsync: whether they are on the disk before an answer.
    """

    noisy = False

    def __init__(self, reactor: object, data: Path, pool: bool, fsync: bool) -> None:
        self.reactor, self.data, self.pool, self.fsync = reactor, data, pool, fsync
        self.root = os.open(data, os.O_RDONLY)
        self.lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT)
        self.catalog = sqlite3.connect(data / "catalog.sqlite", isolation_level=None, timeout=30)
        self.catalog.execute(f"PRAGMA synchronous = {'FULL' if fsync else 'NORMAL'}")
        self.catalog.execute("PRAGMA wal_autocheckpoint = 4000")
        self.waiting: list[Upload] = []
        self.held: dict[str, tuple[tuple[int, int, int], bytes]] = {}
        self.useless: list[str] = []
        self.folders: set[str] = set()
        self.names = (f"staging/{os.getpid()}-{number}" for number in count())

    def buildProtocol(self, addr: object) -> "Connection":
        return Connection(self)

    def get(self, path: str) -> bytes:
        """An object's bytes; those of a file that was read before and is unchanged are remembered."""
        if self.pool:
            query = "SELECT data FROM version JOIN blob ON blob.id = version.blob WHERE bucket_id = 1 AND key = ?"
            return bytes(self.catalog.execute(query, (path.encode(),)).fetchone()[0])
        held = self.held.get(path)
        found = os.stat(path, dir_fd=self.root)
        mark = found.st_ino, found.st_size, found.st_ctime_ns
        if held is None or held[0] != mark:
            file = os.open(path, os.O_RDONLY, dir_fd=self.root)
            held = self.held[path] = mark, os.pread(file, mark[1], 0)
            os.close(file)
        return held[1]

    def put(self, upload: Upload) -> None:
        """Keeps an object, with all others that come in this turn of the reactor."""
        self.waiting.append(upload)
        if len(self.waiting) == 1:
            self.reactor.callLater(0, self._commit)  # type: ignore[attr-defined]

    def _commit(self) -> None:
        uploads, self.waiting = self.waiting, []
        for upload in uploads:
            upload.etag = hashlib.md5(upload.body, usedforsecurity=False).hexdigest()
            if not self.pool:
                self._stage(upload)
        if self.fsync and not self.pool:
            _flush([upload.file for upload in uploads])
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.catalog.execute("BEGIN IMMEDIATE")
        for upload in uploads:
            blob = self._write(upload) if self.pool else self._show(upload)
            values = upload.path.encode(), upload.etag, len(upload.body), 1_700_000_000_000_000_000, _RECORD, blob
            self.catalog.execute(_PUT, values)
        if self.fsync and not self.pool:
            for folder in {os.path.dirname(upload.path) for upload in uploads}:
                file = os.open(folder, os.O_RDONLY, dir_fd=self.root)
                os.fsync(file)
                os.close(file)
        self.catalog.execute("COMMIT")
        fcntl.flock(self.lock, fcntl.LOCK_UN)
        for upload in uploads:
            upload.connection.answer(_ANSWER % (upload.etag.encode(), 0))

    def _stage(self, upload: Upload) -> None:
        upload.staged = next(self.names)
        upload.file = file = os.open(upload.staged, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666, dir_fd=self.root)
        os.posix_fallocate(file, 0, len(upload.body) or 1)
        os.write(file, upload.body)
        os.setxattr(file, "user.floor", f"{upload.etag} {_RECORD}".encode())
        os.utime(file, ns=(1_700_000_000_000_000_000, 1_700_000_000_000_000_000))
        if not self.fsync:
            os.close(file)

    def _show(self, upload: Upload) -> None:
        places = (self.root, upload.staged.encode()), (self.root, upload.path.encode())
        try:
            exchange(*places)
            if not self.useless:
                # Letting go of blocks takes long: nobody waits for it.
                self.reactor.callLater(0.05, self._tidy)  # type: ignore[attr-defined]
            self.useless.append(upload.staged)
        except FileNotFoundError:
            folder = os.path.dirname(upload.path)
            if folder not in self.folders:
                os.makedirs(self.data / folder, exist_ok=True)
                self.folders.add(folder)
            os.rename(upload.staged, upload.path, src_dir_fd=self.root, dst_dir_fd=self.root)

    def _write(self, upload: Upload) -> int:
        found = self.catalog.execute(
            "SELECT blob FROM version WHERE bucket_id = 1 AND key = ?", (upload.path.encode(),)
        )
        row = found.fetchone()
        if row is None:
            return self.catalog.execute("INSERT INTO blob (data) VALUES (?)", (upload.body,)).lastrowid or 0
        self.catalog.execute("UPDATE blob SET data = ? WHERE id = ?", (upload.body, *row))
        return int(row[0])

    def _tidy(self) -> None:
        useless, self.useless = self.useless, []
        self.reactor.callInThread(self._remove, useless)  # type: ignore[attr-defined]

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            os.unlink(name, dir_fd=self.root)


class Connection(Protocol):
    """One request after the other, each with all of its body in what has come so far."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._data = b""

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        if not end:
            return
        method, target, _ = head.split(b" ", 2)
        at = head.lower().find(b"content-length: ")
        length = int(head[at + 16 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(body) < length:
            if not body and b"100-continue" in head:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return
        self._data = b""
        path = target.partition(b"?")[0][1:].decode()
        if method == b"PUT" and "/" in path:
            self._floor.put(Upload(self, path, body))
        elif method == b"PUT":
            with suppress(FileExistsError):
                os.mkdir(path, dir_fd=self._floor.root)
            self.answer(_ANSWER % (b"", 0))
        else:
            found = self._floor.get(path) if "/" in path else b""
            self.answer(_ANSWER % (b"", len(found)) + found)

    def answer(self, data: bytes) -> None:
        """Sends all of an answer at once, as a small one nearly always can be."""
        transport = self.transport
        sent = transport.writeSomeData(data) if transport.connected else len(data)
        if isinstance(sent, int) and sent < len(data):
            transport.write(data[sent:])


def make(data: Path) -> None:
    """Makes the catalog and the directories."""
    (data / "staging").mkdir(parents=True)
    with sqlite3.connect(data / "catalog.sqlite") as catalog:
        catalog.executescript(_SCHEMA)


def _flush(files: list[int]) -> None:
    for file in files:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    for file in files:
        os.fsync(file)
        os.close(file)


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--port", type=int, required=True)
@click.option("--pool", is_flag=True, help="Bytes in the catalog.")
@click.option("--fsync", is_flag=True, help="Bytes on the disk before the answer.")
def main(data: Path, port: int, pool: bool, fsync: bool) -> None:
    """Serves until it is killed."""
    make(data)
    listening = socket.create_server(("127.0.0.1", port), backlog=512)
    listening.setblocking(False)
    os.fork()  # both serve
    from twisted.internet import reactor

    reactor.adoptStreamPort(listening.fileno(), socket.AF_INET, Floor(reactor, data, pool, fsync))  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()

"""Documents as files of ours, so that identities and keys outlive the catalog: ``documents/<name>.json``."""

import json
import logging
import os
import sqlite3
from hashlib import sha256
from typing import Any

from gecko_tw.store.drivers.files.disk import Disk, directory_of
from gecko_tw.store.drivers.sqlite.commits import Transaction

log = logging.getLogger(__name__)

ROOM = "documents"


def _path(kind: str, name: str) -> str:
    return f"{ROOM}/{sha256(f'{kind}/{name}'.encode()).hexdigest()}.json"


def _text(kind: str, name: str, value: Any) -> bytes:
    return json.dumps({"kind": kind, "name": name, "value": value}).encode("ascii")


class FilesDocuments:
    """One file for each document. The catalog's row counts while there is one; the files are what a rebuild reads without it."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def note(self, transaction: Transaction, kind: str, name: str, value: Any) -> None:
        """Writes a document down, in the step that changes it; None forgets it."""
        path = _path(kind, name)
        if value is None:
            self._disk.drop([path])
            transaction.touched.add(directory_of(path))
        else:
            transaction.touched.add(self._disk.write_whole(path, _text(kind, name, value)))

    def follow(self, transaction: Transaction) -> None:
        """Makes the files say what the table says, and nothing else."""
        standing = {}
        for kind, name, value in transaction.execute("SELECT kind, name, value FROM document").fetchall():
            standing[_path(kind, name)] = (kind, name, json.loads(value))
        for file in os.listdir(self._disk.inner_path(ROOM)):
            path = f"{ROOM}/{file}"
            if path not in standing:
                self._disk.drop([path])
            elif self._disk.read_whole(path) == _text(*standing[path]):
                del standing[path]
        for kind, name, value in standing.values():
            self.note(transaction, kind, name, value)

    def restore(self, connection: sqlite3.Connection) -> None:
        """Fills the table of a new catalog."""
        for file in sorted(os.listdir(self._disk.inner_path(ROOM))):
            text = self._disk.read_whole(f"{ROOM}/{file}")
            try:
                found = json.loads(text or b"")
                row = (found["kind"], found["name"], json.dumps(found["value"], separators=(",", ":")))
            except (ValueError, KeyError, TypeError):
                log.error("%s is no document and is passed over", self._disk.inner_path(ROOM, file))
                continue
            connection.execute("INSERT OR REPLACE INTO document (kind, name, value) VALUES (?, ?, ?)", row)

"""Documents as files of ours, so that identities and keys outlive the catalog: ``documents/<name>.json``."""

import json
import os
import sqlite3
from collections.abc import Callable
from hashlib import sha256

from gecko_tw.store.drivers.files.disk import Disk, directory_of
from gecko_tw.store.drivers.files.paths import INNER
from gecko_tw.store.drivers.files.walking import told
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.records import Json

ROOM = "documents"


def file_of_document(kind: str, name: str) -> str:
    return f"{ROOM}/{sha256(f'{kind}/{name}'.encode()).hexdigest()}.json"


def text_of_document(kind: str, name: str, value: Json) -> bytes:
    return json.dumps({"kind": kind, "name": name, "value": value}).encode("ascii")


class FilesDocuments:
    """One file for each document. The catalog's row counts while there is one; the files are what a rebuild reads without it."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def note(self, transaction: Transaction, kind: str, name: str, value: Json) -> None:
        """Writes a document down, in the step that changes it; None forgets it."""
        path = file_of_document(kind, name)
        if value is None:
            self._disk.drop([path])
            transaction.touched.add(directory_of(path))
        else:
            transaction.touched.add(self._disk.write_whole(path, text_of_document(kind, name, value)))

    def follow(self, transaction: Transaction) -> None:
        """Makes the files say what the table says, and nothing else."""
        standing = {}
        for kind, name, value in transaction.execute("SELECT kind, name, value FROM document").fetchall():
            standing[file_of_document(kind, name)] = (kind, name, json.loads(value))
        for file in os.listdir(self._disk.inner_path(ROOM)):
            path = f"{ROOM}/{file}"
            if path not in standing:
                self._disk.drop([path])
            elif self._disk.read_whole(path) == text_of_document(*standing[path]):
                del standing[path]
        for kind, name, value in standing.values():
            self.note(transaction, kind, name, value)

    def restore(self, connection: sqlite3.Connection, failing: Callable[[bytes, Exception], None] = told) -> None:
        """Fills the table of a new catalog; ``failing`` is told what is no document, or cannot be read."""
        for file in sorted(os.listdir(self._disk.inner_path(ROOM))):
            try:
                text = self._disk.read_whole(f"{ROOM}/{file}")
                found = json.loads(text or b"")
                row = (found["kind"], found["name"], json.dumps(found["value"], separators=(",", ":")))
            except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
                failing(INNER + b"/" + os.fsencode(f"{ROOM}/{file}"), error)
                continue
            connection.execute("INSERT OR REPLACE INTO document (kind, name, value) VALUES (?, ?, ?)", row)

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


class FilesDocuments:
    """One file for each document. The catalog's row counts while there is one; the files are what a rebuild reads without it."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def note(self, transaction: Transaction, kind: str, name: str, value: Any) -> None:
        """Writes a document down, in the step that changes it; None forgets it."""
        path = f"{ROOM}/{sha256(f'{kind}/{name}'.encode()).hexdigest()}.json"
        if value is None:
            self._disk.drop([path])
            transaction.touched.add(directory_of(path))
        else:
            text = json.dumps({"kind": kind, "name": name, "value": value})
            transaction.touched.add(self._disk.write_whole(path, text.encode("ascii")))

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

"""Removing old backups, and the bytes that only they had."""

import sqlite3
from contextlib import closing

from gecko_tw.store.backup.repository import BLOBS, Repository
from gecko_tw.store.backup.taking import files_of, remove


def prune(repository: Repository, keep: int) -> int:
    """Removes all but the newest backups and those cut short, and every file with bytes that none of those needs.

    The records go first: what is cut short leaves bytes that nobody needs, and never records without bytes.

    :param keep: how many stay, 1 or more.
    :returns: how many backups were removed.
    :raises BackupError: one of those that stay is damaged; then nothing is removed.
    """
    whole = [name for name in repository.names() if repository.is_whole(name)]
    with closing(sqlite3.connect("")) as needed:  # a file of SQLite's that vanishes by itself: there may be many names
        needed.execute("CREATE TABLE file (name TEXT PRIMARY KEY) WITHOUT ROWID")
        for name in whole[-keep:]:
            backup = repository.backup(name)
            needed.executemany(
                "INSERT OR IGNORE INTO file VALUES (?)", ((file,) for file in files_of(repository, backup))
            )
        for name in set(repository.names()) - set(whole[-keep:]):
            remove(repository, name)
        repository.target.sync()
        for directory in repository.target.listed(BLOBS):
            for name in repository.target.listed(f"{BLOBS}/{directory}"):
                file = f"{BLOBS}/{directory}/{name}"
                if needed.execute("SELECT 1 FROM file WHERE name = ?", (file,)).fetchone() is None:
                    repository.target.remove(file)
    return len(whole[:-keep])

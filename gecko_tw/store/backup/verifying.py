"""Whether a backup can be restored: all its bytes are read and compared."""

import hashlib
from collections.abc import Iterator

from gecko_tw.store.backup.lines import Stored, lines_of
from gecko_tw.store.backup.repository import Backup, Repository
from gecko_tw.store.backup.targets import BackupError, pieces


def damaged_in(repository: Repository, backup: Backup) -> Iterator[str]:
    """A line for each version whose bytes in the backup are not those that were stored. Raises BackupError: its records are damaged."""
    for line in lines_of(repository, backup):
        if isinstance(line, Stored) and line.blob:
            why = _trouble(repository, line)
            if why:
                yield f"{line.shown}: {why}"


def _trouble(repository: Repository, line: Stored) -> str:
    digest = hashlib.sha256()
    try:
        source = repository.open(line.blob)
        if source is None:
            return "its bytes are not in the backup any more"
        try:
            for data in pieces(source):
                digest.update(data)
        finally:
            source.close()
    except BackupError as problem:
        return str(problem)
    return "" if digest.hexdigest() == line.sha256 else "its bytes in the backup are damaged"

"""That the catalog is damaged, once anybody has noticed it while it was in use: told to every process, and to the next start."""

import logging
import os
import sqlite3
from contextlib import suppress

log = logging.getLogger(__name__)

_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SIGNS = ("no such table", "no such column", "Could not decode to UTF-8")
_LONGEST = 1000


class DamagedRow(sqlite3.DatabaseError):
    """A row of the catalog is not what was written."""


class Damage:
    """What is known of the damage of one catalog, kept in a file beside it.

    :param path: of the catalog.
    :param note: of that file.
    :param cure: what the log says is to be done.
    """

    def __init__(self, path: str, note: str, cure: str) -> None:
        self._path, self._note, self._cure = path, note, cure
        self._file: tuple[int, int] | None = None
        self._is_told = False

    def watch(self) -> None:
        """From now on the catalog's file is to be the one that is there now."""
        self._file = self._found()

    def _found(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def noticed(self, problem: BaseException) -> bool:
        """Whether an error means that the catalog is damaged; then that is written down, and told once."""
        if not isinstance(problem, sqlite3.Error):
            return False
        code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
        if isinstance(problem, DamagedRow) or code in _CODES or str(problem).startswith(_SIGNS):
            self._tell(str(problem))
            return True
        return self.text is not None

    def _tell(self, why: str) -> None:
        if not self._is_told:
            self._is_told = True
            log.critical("%s is damaged (%s): %s", self._path, why, self._cure)
        if not os.path.exists(self._note):
            with suppress(OSError), open(self._note, "w", encoding="utf-8") as file:
                file.write(why)

    @property
    def text(self) -> str | None:
        """What is wrong, or None. It costs two looks at the disk."""
        try:
            with open(self._note, encoding="utf-8", errors="replace") as file:
                return file.read(_LONGEST) or "it was found damaged"
        except OSError:
            pass
        if self._file is not None and self._found() != self._file:
            self._tell("it was removed, or replaced, while it was in use")
            return "it was removed, or replaced, while it was in use"
        return None

    def cured(self) -> None:
        """It is good again."""
        self._is_told, self._file = False, None
        with suppress(FileNotFoundError):
            os.unlink(self._note)

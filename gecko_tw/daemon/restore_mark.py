"""The mark of a data directory that is being restored: nobody serves half of it."""

import os
from pathlib import Path


class RestoreMark:
    """``.geckos3/restoring``: there from a restore's beginning to its end, so also after one that was cut short.

    :param inner: the data directory's ``.geckos3``.
    :ivar backup: the backup that may be restored here; empty for whoever restores none.
    """

    def __init__(self, inner: Path, backup: str = "") -> None:
        self._path, self.backup = inner / "restoring", backup

    @property
    def under_way(self) -> str:
        """The backup that is being restored; empty for none."""
        try:
            return self._path.read_text("ascii")
        except (FileNotFoundError, NotADirectoryError):  # whoever opens what is there instead tells what is wrong
            return ""

    @property
    def trouble(self) -> str | None:
        """Why the directory cannot be used, or None."""
        found = self.under_way
        if found in ("", self.backup):
            return None
        return f"the restore of {found} into it is under way or was cut short: run it again to its end, or empty the directory"

    def set(self) -> None:
        """It begins."""
        if not self.backup:
            return
        with open(self._path, "w", encoding="ascii") as file:
            file.write(self.backup)
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)  # else a power cut could leave half a restore without it
        finally:
            os.close(folder)

    def remove(self) -> None:
        """It is at its end."""
        if self.backup:
            self._path.unlink()

"""A data directory under the driver of its layout, as the life of a process needs it."""

import logging
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.callers.accounts.sealing import KeyFile, Sealer, WrongKey, is_sealed, rekey, sealing_key
from gecko_tw.daemon.restore_mark import RestoreMark
from gecko_tw.settings import BadSetting, Settings
from gecko_tw.settings.kinds import key_of
from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.drivers.files.adoption import Progress
from gecko_tw.store.drivers.files.disk import InUse
from gecko_tw.store.drivers.files.paths import INNER
from gecko_tw.store.drivers.interfaces import IDriverFamily, IFileTree, ILeases
from gecko_tw.store.drivers.layouts import CATALOGS, SHARED_MARK, UNDER_WAY, WrongLayout
from gecko_tw.store.drivers.registry import DRIVERS, SHARED
from gecko_tw.store.drivers.sqlite.connections import CatalogDamaged, CatalogTooNew

log = logging.getLogger(__name__)

TOLD = 10_000
"""Files between two messages about a long scan."""


_PROBLEMS = (OSError, ValueError, RuntimeError, InUse, WrongLayout, CatalogTooNew, CatalogDamaged, sqlite3.Error)
"""What opening a driver can say."""

_WRITTEN = (*CATALOGS.values(), "lock", "used")
"""What the names of files begin with that every process writes to."""


class CannotOpen(Exception):  # noqa: N818 - named for what it tells
    """The data directory cannot be used now. Its text says why, in one line."""


def make_data_dir(path: Path) -> None:
    """Makes the directory to serve when it is missing. Raises CannotOpen when it cannot be made, or written to."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        _check_access(next(parent for parent in path.absolute().parents if parent.exists()))
        raise CannotOpen(f"--data-dir: {str(path)!r}: {problem.strerror}") from problem
    _check_access(path)


def is_data_dir(path: Path) -> bool:
    """Whether a directory was served before."""
    return (path / os.fsdecode(INNER)).is_dir()


def check_data_dir(path: Path, adopting: bool = False) -> None:
    """Refuses what is no data directory, so that a mistyped path does not become one. Raises CannotOpen.

    :param adopting: whether a directory of buckets will do, too, that neither is in a data directory nor has one in it.
    """
    if is_data_dir(path):
        return
    if not path.is_dir():
        raise CannotOpen(f"--data-dir: {str(path)!r}: there is no such directory; `geckos3 serve` makes one")
    within = any(map(is_data_dir, path.resolve().parents))
    inside = [one for one in path.iterdir() if is_bucket_name(one.name) and one.is_dir() and not one.is_symlink()]
    if not adopting or within or not inside or any(map(is_data_dir, inside)):
        raise CannotOpen(f"--data-dir: {str(path)!r}: is no data directory; `geckos3 serve` makes one of it")


def _check_access(*paths: Path) -> None:
    """Tells what to do about the first of these that is there and that this process may not write to. Raises CannotOpen."""
    for path in paths:
        needed = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
        if not os.path.exists(path) or os.access(path, needed, effective_ids=True):
            continue
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            raise CannotOpen(f"--data-dir: {str(path)!r}: is on a file system that is read-only")
        us, owner = f"{os.geteuid()}:{os.getegid()}", path.stat()
        raise CannotOpen(
            f"--data-dir: {str(path)!r}: belongs to user {owner.st_uid} and cannot be written to by user {os.geteuid()}, as whom this"
            f" runs: `chown -R {us}` the data directory (of a container's volume, on the host), or run this as its owner"
            f" (`docker run --user {owner.st_uid}:{owner.st_gid}`)"
        )


class DataDir:
    """One data directory; every method blocks.

    :param sealing_key: what another process found out with the encryption key; with it this one needs none.

    :param restoring: the name of the backup that is about to be restored into it.
    :ivar driver: its ``catalog`` and ``blobs`` are there once it is open.
    :ivar restore: tells whether one is under way.
    :raises BadSetting: there is no driver of that layout.
    :ivar fresh: whether the catalog was made when it was opened.
    :ivar sealer: seals and opens secrets, once it is open; ``sealing_key`` is its key.
    """

    sealer: Sealer

    def __init__(self, settings: Settings, sealing_key: bytes = b"", restoring: str = "") -> None:
        self.sealing_key = sealing_key
        self.restore = RestoreMark(Path(settings.data_dir, ".geckos3"), restoring)
        family = _family_of(settings)
        self._catalog = Path(settings.data_dir, ".geckos3", family.catalog)
        self.fresh = False
        self.unreadable: dict[str, str] = {}
        self._root, self._key = settings.access_key, settings.encryption_key
        self._key_path = Path(settings.data_dir, ".geckos3", "encryption.key")
        self._key_file = KeyFile(self._key_path)
        taken = {name: getattr(settings, name) for name in family.takes}
        try:
            self.driver = family.load(str(settings.data_dir), taken)
        except ImportError as problem:
            if family is not SHARED:
                raise
            raise BadSetting(f"--catalog: {problem}; `pip install 'gecko-tw[postgresql]'` installs it") from problem
        except ValueError as problem:
            if family is not SHARED:
                raise
            raise BadSetting(f"--catalog: {problem}") from problem
        self.is_shared = family is SHARED
        self._layout = settings.layout
        self._umask, self._repairs = settings.umask, settings.repair == "auto"

    def open(self, sealed: bool = True) -> None:
        """Raises CannotOpen.

        :param sealed: whether the encryption key is needed, too; without it there is no ``sealer``.
        """
        self._prepare()
        try:
            self.driver.open()
            if sealed:
                self._check_whole()
                self.sealing_key = self.sealing_key or self._find_sealing_key()
                self.sealer = Sealer(self.sealing_key)
        except WrongKey:
            raise CannotOpen(
                f"{self._place}: the encryption key is not the one that its secrets were encrypted with"
                f" ({self._key_source})"
            ) from None
        except _PROBLEMS as problem:
            raise CannotOpen(f"{self._place}: {problem}") from problem

    def _check_whole(self) -> None:
        """Raises ValueError."""
        if self.driver.documents.get(*UNDER_WAY) is not None:
            raise ValueError("`geckos3 move` has not ended: repeat it")

    @property
    def _place(self) -> str:
        """What is to be looked at when it cannot be opened."""
        return "--catalog" if self.is_shared else self.driver.data_dir

    def _prepare(self) -> None:
        """Raises CannotOpen."""
        if self._umask:
            os.umask(int(self._umask, 8))
        self._check_access()
        self._check_kind()
        if self.restore.trouble is not None:
            raise CannotOpen(f"{self.driver.data_dir}: {self.restore.trouble}")
        self.fresh = not self.is_shared and not self._catalog.exists()

    def _check_access(self) -> None:
        """A catalog that can only be read would be noticed by the first write, and not by the start. Raises CannotOpen."""
        inner = self._catalog.parent
        _check_access(inner.parent, inner)
        if inner.is_dir():
            _check_access(*(one for one in inner.iterdir() if one.is_dir() or one.name.startswith(_WRITTEN)))

    def _check_kind(self) -> None:
        """Nobody looks for records in a directory when they are in a database, or the other way round. Raises CannotOpen."""
        inner = self._key_path.parent
        own = [name for name in CATALOGS.values() if (inner / name).exists()]
        if self.is_shared and own:
            raise CannotOpen(
                f"--data-dir: {self.driver.data_dir!r} has records of its own ({own[0]}): with --catalog give another directory"
            )
        if not self.is_shared and (inner / SHARED_MARK).exists():
            raise CannotOpen(
                f"--catalog: {self.driver.data_dir!r} belongs to a node whose records are in a database: give its address"
            )

    def sizes(self) -> dict[str, tuple[str, float]]:
        """How much room there is, and how much the catalog takes: what each number is, and the number, by name. Blocks."""
        disk = os.statvfs(self.driver.data_dir)
        sizes: dict[str, tuple[str, float]] = {
            "disk_size_bytes": ("Size of the data directory's file system.", disk.f_frsize * disk.f_blocks),
            "disk_free_bytes": ("What of it is free for this program.", disk.f_frsize * disk.f_bavail),
            "disk_free_inodes": ("How many files can still be made on it.", disk.f_favail),
        }
        if self.is_shared:
            return sizes
        log = self._catalog.with_name(self._catalog.name + "-wal")
        return sizes | {
            "catalog_bytes": ("Size of the catalog.", self._catalog.stat().st_size),
            "catalog_log_bytes": ("Size of the catalog's write-ahead log.", log.stat().st_size if log.exists() else 0),
        }

    @property
    def registry(self) -> Registry:
        """The identities, once it is open."""
        return Registry(self.driver.documents, self.sealer, self._root)

    def _find_sealing_key(self) -> bytes:
        """Raises WrongKey, OSError, ValueError."""
        documents = self.driver.documents
        if self._key:
            return sealing_key(documents, key_of(self._key))
        try:
            key, made = self._key_file.read(make=not is_sealed(documents))
        except FileNotFoundError:
            raise ValueError(
                f"the encryption key is missing: GECKOS3_ENCRYPTION_KEY is not set, and {self._key_path} is not there"
            ) from None
        if made:
            log.warning(
                "an encryption key was made: keep a copy of %s, without it no secret can be read", self._key_path
            )
        try:
            return sealing_key(documents, key)
        except WrongKey:
            pending = self._key_file.pending()
            if pending is None:  # wrong indeed, unless a change was ended while we looked
                return sealing_key(documents, self._key_file.read(make=False)[0])
            # A change of the key was cut short after it had taken effect.
            found = sealing_key(documents, pending)
            self._key_file.end_change()
            return found

    @property
    def _key_source(self) -> str:
        return "GECKOS3_ENCRYPTION_KEY" if self._key else str(self._key_path)

    def keep_key(self, key: bytes) -> None:
        """Puts the encryption key that a backup has in its place, where a deployment needs one in a file and has none."""
        if not self._key and not self._key_path.exists():
            self._key_file.put(key.decode("ascii").strip())

    def rekey(self, new: str) -> str:
        """Seals everything with another encryption key and returns what to do next; the daemon may run meanwhile.

        :param new: the new key as text; empty makes one in the key's file.
        :raises CannotOpen: the new key is none; the key in force comes from a setting, so the new one must, too.
        """
        if not new and self._key:
            raise CannotOpen(
                "the key is given by GECKOS3_ENCRYPTION_KEY: give the new one as GECKOS3_NEW_ENCRYPTION_KEY"
            )
        try:
            if new:
                present = key_of(self._key) if self._key else self._key_file.read()[0]
                rekey(self.driver.documents, present, _given_key(new))
                return "everything is sealed with the new key: start the daemon with it as GECKOS3_ENCRYPTION_KEY"
            present, following = self._key_file.begin_change()
            rekey(self.driver.documents, present, following)
        except WrongKey:
            raise CannotOpen("the encryption key was changed by somebody else just now: look, and try again") from None
        self._key_file.end_change()
        return f"everything is sealed with the new key in {self._key_path}"

    @property
    def has_files(self) -> bool:
        """Whether objects are files that others can put, change and remove, and that a catalog can be made of."""
        return IFileTree.providedBy(self.driver)  # type: ignore[no-any-return, misc]

    def _files(self) -> IFileTree:
        """Raises CannotOpen."""
        files = IFileTree(self.driver, None)
        if files is None and self.is_shared:
            raise CannotOpen("--catalog: objects in a database are no files that could be looked through")
        if files is None:
            raise CannotOpen(
                f"{self.driver.data_dir}: with --layout={self._layout} objects are no files that could be looked through"
            )
        return files  # type: ignore[no-any-return]

    def adopt(self, report: Callable[[int], object] | None = None, stop: Callable[[], bool] | None = None) -> int:
        """Takes over what others put, changed or removed; returns how many files and unfinished uploads of GeckoS3 that were.

        What could not be read is in ``unreadable`` then. Raises CannotOpen where objects are no files.

        :param report: called with how many files were looked at, after every 10,000 of them.
        :param stop: asked now and then whether to end early.
        """

        def told(progress: Progress) -> None:
            if report is not None and progress.looked and progress.looked % TOLD == 0:
                report(progress.looked)

        done = self._files().adopt(told, stop)
        self.unreadable = done.unreadable
        return done.changed + done.uploads

    def rebuild(self) -> dict[str, str]:
        """Opens it while the catalog is made anew from the files alone, whatever state that is in.

        Raises CannotOpen where there are none, and while anybody else uses them.

        :returns: places that could not be read and are passed over, with the reasons.
        """
        files = self._files()
        self._prepare()
        try:
            files.open(anew=True)
        except _PROBLEMS as problem:
            raise CannotOpen(f"{self.driver.data_dir}: {problem}") from problem
        return files.unreadable

    def flush(self) -> bool:
        """As the driver's, but a damaged catalog is noted."""
        try:
            return self.driver.flush()
        except sqlite3.Error as problem:
            if not self.driver.damage.noticed(problem):
                raise
            return False

    def leads(self) -> bool:
        """Whether this process does the jobs of the deployment: where nodes share one, it is one of them at a time. Blocks."""
        leases = ILeases(self.driver, None)
        return leases is None or bool(leases.leads())

    def lost(self) -> str | None:
        """Why this process should end, so that the next start can mend it: the catalog is damaged and can be made again."""
        return self.driver.damage.text if self.has_files and self._repairs else None

    def close(self) -> None:
        """Harmless when repeated."""
        self.driver.close()


def _family_of(settings: Settings) -> IDriverFamily:
    """The driver of a layout: ours, or a dropin's. Raises BadSetting when there is none, or two drivers have the same name."""
    if settings.catalog != "files":
        return SHARED
    families: dict[str, IDriverFamily] = {one.name: one for one in DRIVERS}
    if settings.layout not in families:
        # Few have drivers of others, and everybody would load what looks for them.
        from twisted.plugin import getPlugins

        import gecko_tw.plugins

        for family in getPlugins(IDriverFamily, gecko_tw.plugins):
            if family.name in families:
                raise BadSetting(f"a dropin cannot be used: two drivers are named {family.name}")
            families[family.name] = family
    if settings.layout not in families:
        raise BadSetting(
            f"--layout: {settings.layout!r} is not allowed; allowed is one of {', '.join(sorted(families))}"
        )
    return families[settings.layout]


def _given_key(text: str) -> bytes:
    """Raises CannotOpen, which does not tell the text."""
    try:
        return key_of(text)
    except ValueError:
        raise CannotOpen("GECKOS3_NEW_ENCRYPTION_KEY must be 32 characters, or 32 bytes as base64") from None

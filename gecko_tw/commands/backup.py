"""What ``geckos3 backup`` and ``geckos3 restore`` do."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from attrs import asdict, frozen

from gecko_tw.commands.places import target_of
from gecko_tw.commands.telling import Told, tell
from gecko_tw.daemon.data_dir import CannotOpen, DataDir, check_data_dir, make_data_dir
from gecko_tw.settings import BadSetting, Settings
from gecko_tw.store.backup.pruning import prune
from gecko_tw.store.backup.repository import Backup, Repository, begin, opened
from gecko_tw.store.backup.restoring import Restored, Restoring, Wanted, backups, check_empty, newest
from gecko_tw.store.backup.taking import Report, Taking
from gecko_tw.store.backup.targets import BackupError
from gecko_tw.store.backup.verifying import damaged_in
from gecko_tw.store.drivers.interfaces import IMoments
from gecko_tw.store.refusals import Refusal

_CANNOT = 2
_PROBLEMS = (BackupError, BadSetting, CannotOpen, Refusal, OSError, RuntimeError, sqlite3.Error, ValueError)


@frozen
class Place:
    """A target as a command line names it.

    :ivar passphrase_file: a file whose first line is the passphrase; None for the environment's.
    """

    target: str
    endpoint: str = ""
    passphrase_file: str | None = None

    @property
    def passphrase(self) -> str | None:
        """Raises OSError, ValueError."""
        if self.passphrase_file is None:
            return os.environ.get("GECKOS3_BACKUP_PASSPHRASE") or None
        lines = Path(self.passphrase_file).read_text("utf-8").splitlines()
        if not lines or not lines[0]:
            raise ValueError(f"{self.passphrase_file}: has no passphrase in its first line")
        return lines[0]

    @contextmanager
    def opened(self, begins: bool = False) -> Iterator[Repository]:
        """Raises BackupError.

        :param begins: whether it is to be written to.
        """
        target = target_of(self.target, self.endpoint)
        try:
            yield (begin if begins else opened)(target, self.passphrase)
        finally:
            target.close()


def telling(work: Callable[[], tuple[Told, bool]]) -> int:
    """Runs it, tells what it returns, and returns the exit code: 1 when it is not all well, 2 when it could not be done."""
    try:
        told, well = work()
    except _PROBLEMS as problem:
        refusal = click.ClickException(" ".join(str(problem).split()))
        refusal.exit_code = _CANNOT
        raise refusal from problem
    tell(told)
    return int(not well)


@frozen
class ToTake:
    """What ``geckos3 backup`` is asked.

    :ivar with_key: whether ``.geckos3/encryption.key`` comes along.
    :ivar keep: how many backups stay; 0 for all.
    """

    place: Place
    with_key: bool = False
    keep: int = 0


def taken(settings: Settings, wish: ToTake) -> tuple[Told, bool]:
    """Makes a backup. Raises what ``telling`` knows."""
    if settings.catalog != "files":
        raise BackupError("--catalog: a database is backed up by its own tools: see docs/backup.md")
    if "://" not in wish.place.target and _is_within(Path(wish.place.target), settings.data_dir):
        raise BackupError(f"{wish.place.target}: is in the data directory: give another place")
    check_data_dir(settings.data_dir)
    data = DataDir(settings)
    try:
        data.open(sealed=False)
        moments = IMoments(data.driver, None)
        if moments is None:
            raise BackupError(f"--layout={settings.layout}: its driver cannot be backed up")
        key = _key_of(settings) if wish.with_key else b""
        with wish.place.opened(begins=True) as repository:
            if data.has_files:
                data.adopt()  # what others have put there counts, whether it was noticed or not
            moment = moments.moment()
            try:
                report = Taking(repository, moment, key).run()
            finally:
                moment.close()
            removed = prune(repository, wish.keep) if wish.keep else 0
    finally:
        data.close()
    return _told_of(report, removed), not report.left_out


def _is_within(path: Path, other: Path) -> bool:
    return path.resolve().is_relative_to(other.resolve())


def _key_of(settings: Settings) -> bytes:
    """Raises BackupError, OSError."""
    if settings.encryption_key:
        raise BackupError("--with-key: the encryption key is given by a setting and in no file: keep it yourself")
    return Path(settings.data_dir, ".geckos3", "encryption.key").read_bytes()


def _told_of(report: Report, removed: int) -> Told:
    lines = [f"not in the backup: {one}" for one in report.left_out]
    lines += [f"not relied on: {one}" for one in report.distrusted]
    lines.append(
        f"{report.name}: {report.versions} versions of {report.buckets} buckets, {report.bytes} bytes;"
        f" {report.copied} versions were copied, {report.copied_bytes} bytes"
    )
    if removed:
        lines.append(f"{removed} older backups were removed")
    return Told("\n".join(lines), {**asdict(report), "time": shown(report.time), "removed": removed})


def listed(place: Place) -> tuple[Told, bool]:
    """All backups of a target, the newest first. Raises BackupError."""
    with place.opened() as repository:
        found = list(backups(repository))
    lines = [
        f"{shown(one.time)}  {one.counts['versions']} versions of {one.counts['buckets']} buckets, {one.counts['bytes']} bytes"
        + (f"; {len(one.left_out)} left out" if one.left_out else "")
        for one in found
    ]
    values = [{"time": shown(one.time), **one.counts, "left_out": list(one.left_out)} for one in found]
    return Told("\n".join(lines) or "there is no backup", values), True


def verified(place: Place) -> tuple[Told, bool]:
    """Reads everything of the newest backup. Raises BackupError."""
    with place.opened() as repository:
        backup = newest(repository)
        damaged = list(damaged_in(repository, backup))
    text = f"{shown(backup.time)}: {len(damaged) or 'none'} of {backup.counts['versions']} versions are damaged"
    values = {"time": shown(backup.time), **backup.counts, "damaged": damaged}
    return Told("\n".join([*damaged, text]), values), not damaged


@frozen
class ToRestore:
    """What ``geckos3 restore`` is asked.

    :ivar until: the newest backup up to this moment (nanoseconds); None for the newest.
    """

    place: Place
    wanted: Wanted
    until: int | None = None


def restored(settings: Settings, wish: ToRestore) -> tuple[Told, bool]:
    """Brings a backup back. Raises what ``telling`` knows."""
    from gecko_tw.store.backup.lines import check

    with wish.place.opened() as repository:
        backup = newest(repository, wish.until)
        check(repository, backup)  # nothing is written before all records were read
        make_data_dir(settings.data_dir)
        data = DataDir(settings, restoring=backup.name if not wish.wanted.bucket else "")
        try:
            data.open(sealed=False)
            if not data.restore.under_way:
                check_empty(data.driver, wish.wanted)
            data.restore.set()
            report = Restoring(repository, backup, data.driver, wish.wanted, data.keep_key).run()
            data.flush()
            data.restore.remove()
        finally:
            data.close()
    return _told_of_restore(backup, report), not (report.failed or backup.left_out)


def _told_of_restore(backup: Backup, report: Restored) -> Told:
    lines = [f"not restored: {one}" for one in (*report.failed, *backup.left_out)]
    lines.append(
        f"the backup of {shown(backup.time)}: {report.versions} versions of {report.buckets} buckets, {report.bytes} bytes are restored"
    )
    values: dict[str, Any] = {**asdict(report), "time": shown(backup.time), "left_out": list(backup.left_out)}
    return Told("\n".join(lines), values)


def shown(time: int) -> str:
    """A moment as people and ``--at`` write it."""
    return datetime.fromtimestamp(time / 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(text: str) -> int:
    """The reverse, in nanoseconds; without a zone it is UTC, a date alone is its end. Raises ValueError."""
    if len(text) == 10:
        text += "T23:59:59.999999"
    found = datetime.fromisoformat(text)
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1_000_000) * 1000 + 999

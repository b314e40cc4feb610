"""``geckos3 fsck``: what is wrong in a data directory, and mending it."""

import sqlite3

from attrs import frozen

from gecko_tw.commands.telling import Told
from gecko_tw.daemon.data_dir import CannotOpen, DataDir
from gecko_tw.settings import Settings
from gecko_tw.store.drivers.checking.differences import KINDS, MENDED, Difference
from gecko_tw.store.drivers.checking.running import check
from gecko_tw.store.drivers.layouts import LAYOUTS

_REBUILT = frozenset({"catalog", "row"})
_ORPHAN = frozenset({"orphan"})


@frozen
class Findings:
    """What a check has found.

    :ivar found: at first; ``left`` is what is there now.
    :ivar repaired: whether it was to be mended.
    """

    found: list[Difference]
    left: list[Difference]
    repaired: bool

    def told(self) -> Told:
        """In words and as values."""
        listed = self.left if self.repaired else self.found
        lines = [f"{one.place}: {one.text}" for one in listed]
        if not self.found:
            lines.append("nothing is wrong")
        elif self.repaired:
            lines.append(f"{len(self.found)} differences were found, {len(self.left)} are left")
        else:
            lines.append(f"{len(self.found)} differences")
        lines += [f"  {KINDS[kind]}: {count}" for kind, count in sorted(_counts(listed).items())]
        values = {
            "found": len(self.found),
            "left": len(self.left),
            "repaired": self.repaired,
            "counts": _counts(listed),
        }
        values["differences"] = [{"kind": one.kind, "place": one.place, "text": one.text} for one in listed]
        return Told("\n".join(lines), values)


def _counts(listed: list[Difference]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in listed:
        counts[one.kind] = counts.get(one.kind, 0) + 1
    return counts


def fsck(settings: Settings, bucket: str, verifying: bool, repair: bool) -> Findings:
    """Looks at a data directory, and mends what can be mended when it is asked to. Raises CannotOpen.

    :param bucket: the one to look at; empty for everything.
    :param verifying: whether all bytes are read.
    """
    found = _found(settings, bucket, verifying)
    if not (repair and found):
        return Findings(found, found, repair)
    _mend(settings, found)
    return Findings(found, _found(settings, bucket, verifying), True)


def _found(settings: Settings, bucket: str, verifying: bool) -> list[Difference]:
    if settings.catalog != "files":
        raise CannotOpen("--catalog: only data directories can be checked, and no database")
    if settings.layout not in LAYOUTS:
        raise CannotOpen(
            f"--layout={settings.layout}: only directories of the layouts {' and '.join(LAYOUTS)} can be checked"
        )
    try:
        return list(check(str(settings.data_dir), settings.layout, (bucket, verifying), settings.metadata))
    except OSError as problem:
        raise CannotOpen(f"{settings.data_dir}: {problem}") from problem


def _mend(settings: Settings, found: list[Difference]) -> None:
    data = DataDir(settings)
    try:
        kinds = {one.kind for one in found}
        if not kinds & (MENDED if data.has_files else _ORPHAN):
            return
        if data.has_files and kinds & _REBUILT:
            data.rebuild()
        else:
            data.open(sealed=False)
        data.driver.mend(found)
    except (OSError, sqlite3.Error) as problem:
        raise CannotOpen(f"--repair: {settings.data_dir}: {problem}") from problem
    finally:
        data.close()

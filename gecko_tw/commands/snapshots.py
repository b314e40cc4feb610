"""What ``geckos3 snapshots`` does."""

from typing import Any

from gecko_tw.commands.backup import shown
from gecko_tw.commands.fsck import fsck
from gecko_tw.commands.telling import Told
from gecko_tw.daemon.data_dir import CannotOpen, DataDir, check_data_dir
from gecko_tw.settings import Settings
from gecko_tw.store.drivers.interfaces import IRollback, ISnapshots


def listed(settings: Settings) -> tuple[Told, bool]:
    """All snapshots. Raises CannotOpen."""
    check_data_dir(settings.data_dir)
    keeps = ISnapshots(DataDir(settings).driver, None)
    found = [] if keeps is None else keeps.snapshots()
    lines = [f"{shown(one.time)}  {one.size} bytes" for one in found]
    return Told("\n".join(lines) or "there is no snapshot", [_values(one) for one in found]), True


def restored(settings: Settings, until: int | None) -> tuple[Told, bool]:
    """Puts a snapshot in the catalog's place, and looks which bytes it has none of. Raises CannotOpen, ValueError, RuntimeError."""
    check_data_dir(settings.data_dir)
    driver = IRollback(DataDir(settings).driver, None)
    if driver is None:
        raise CannotOpen(
            f"{settings.data_dir}: with --layout={settings.layout} the catalog is made again from the files: `geckos3 rebuild`"
        )
    snapshot = driver.roll_back(until)
    findings = fsck(settings, "", False, False)
    missing = [one for one in findings.found if one.kind != "orphan"]
    lines = [f"{one.place}: {one.text}" for one in missing]
    lines.append(f"the catalog is that of {shown(snapshot.time)}; the one before is set aside in .geckos3")
    values = {**_values(snapshot), "missing": [{"place": one.place, "text": one.text} for one in missing]}
    return Told("\n".join(lines), values), not missing


# Any: a snapshot of ISnapshots.
def _values(snapshot: Any) -> dict[str, Any]:
    return {"time": shown(snapshot.time), "bytes": snapshot.size}

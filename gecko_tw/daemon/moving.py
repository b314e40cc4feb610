"""``geckos3 move``: all that a data directory has taken to a deployment whose records are in a database, or back."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import evolve, frozen

from gecko_tw.callers.accounts import sealing
from gecko_tw.callers.accounts.sealing import KeyFile, Sealer, WrongKey, sealing_key
from gecko_tw.daemon.data_dir import CannotOpen, DataDir, check_data_dir, make_data_dir
from gecko_tw.settings import Settings
from gecko_tw.settings.kinds import key_of
from gecko_tw.store.drivers.claiming import IClaiming
from gecko_tw.store.drivers.interfaces import IDocuments
from gecko_tw.store.drivers.layouts import layout_of
from gecko_tw.store.drivers.postgresql.addresses import place_of
from gecko_tw.store.moving import CannotMove, Move, Moved


@frozen
class Ends:
    """Where from and where to. Both are opened and used by nobody else until :meth:`close`.

    :ivar origin: names the source.
    """

    source: DataDir
    target: DataDir
    origin: str

    def close(self) -> None:
        """Harmless when repeated."""
        self.source.close()
        self.target.close()


def move(settings: Settings, to_deployment: bool, layout: str, report: Callable[[Moved], object]) -> Moved:
    """Moves everything, or what an earlier move has left. Blocks for as long as it takes.

    :param settings: ``data_dir`` names the directory, ``catalog``, ``blobs`` and ``encryption_key`` the deployment.
    :param to_deployment: from the directory; else into it.
    :param layout: of a directory that is made.
    :raises CannotOpen: one of both cannot be used, or is in use.
    :raises CannotMove: see there.
    """
    if settings.catalog == "files":
        raise CannotOpen("--catalog: 'files' is not allowed; allowed is the address of the database to move to or from")
    with TemporaryDirectory(prefix="geckos3-move-") as node:
        ends = _opened(settings, to_deployment, layout, Path(node))
        try:
            present = _key_of(ends.source.driver.documents, settings)
            given = _resealing(present, key_of(settings.encryption_key)) if present is not None else _as_it_is
            return Move(ends.source.driver, ends.target.driver, ends.origin, given, report).run()
        finally:
            ends.close()


def _opened(settings: Settings, to_deployment: bool, layout: str, node: Path) -> Ends:
    """Raises CannotOpen.

    :param node: an empty directory: a node of the deployment needs one.
    """
    folder = Path(settings.data_dir)
    found = layout_of(str(folder / ".geckos3"))
    directory = DataDir(evolve(settings, catalog="files", blobs="", layout=found or layout))
    if to_deployment:
        check_data_dir(folder)
    else:
        make_data_dir(folder)
    deployment = DataDir(evolve(settings, data_dir=node))
    place = os.path.realpath(folder) if to_deployment else place_of(settings.catalog)
    ends = Ends(*((directory, deployment) if to_deployment else (deployment, directory)), place)
    try:
        for one in (directory, deployment):
            one.open(sealed=False)
            _claim(one)
    except BaseException:
        ends.close()
        raise
    return ends


def _claim(data: DataDir) -> None:
    """Raises CannotOpen."""
    claiming = IClaiming(data.driver, None)
    if claiming is None:
        raise CannotOpen("--layout: a driver of others cannot be moved: nothing says that nobody uses it meanwhile")
    try:
        claiming.claim()
    except RuntimeError as problem:
        raise CannotOpen(str(problem)) from problem


def _key_of(documents: IDocuments, settings: Settings) -> bytes | None:
    """The encryption key that opens the secrets of a source; None when it has none. Raises CannotOpen."""
    if not sealing.is_sealed(documents):
        return None
    candidates = [key_of(settings.encryption_key)]
    file = Path(settings.data_dir) / ".geckos3" / "encryption.key"
    if file.exists():
        candidates.append(KeyFile(file).read(make=False)[0])
    for key in candidates:
        try:
            sealing_key(documents, key)
        except WrongKey:
            continue
        return key
    raise CannotOpen(
        "--encryption-key: neither it nor the directory's own key is the one that secrets were encrypted with"
    )


# Any, here and below: values of documents.
def _as_it_is(_kind: str, _name: str, value: Any) -> Any:
    return value


def _resealing(present: bytes, following: bytes) -> Callable[[str, str, Any], Any]:
    """What gives the key that everything is sealed with to the deployment's encryption key."""

    def given(kind: str, name: str, value: Any) -> Any:
        if (kind, name) != (sealing.KIND, sealing.NAME):
            return value
        return sealing.resealed(value, Sealer(present), Sealer(following))

    return given


__all__ = ["CannotMove", "Ends", "Moved", "move"]

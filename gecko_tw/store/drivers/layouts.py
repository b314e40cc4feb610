"""How a data directory is laid out: settled when it is made, and never changed."""

import os

from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.drivers.files.paths import INNER

FILES, POOL = "files", "pool"
LAYOUTS = (FILES, POOL)
CATALOGS = {FILES: "catalog.sqlite", POOL: "objects.sqlite"}
"""The catalog of each layout has a name of its own, so that nothing ever takes one for the other."""

MARK = "layout"
"""A file that tells a directory whose catalog is lost from a new one."""


SHARED_MARK = "shared"
"""A file that says that the records are in a database, so that nobody begins new ones here by mistake."""


UNDER_WAY = ("move", "under way")
"""Kind and name of the document that says that not everything has arrived yet that is moved here."""


class WrongLayout(RuntimeError):
    """A data directory cannot be opened with this layout."""


def check_layout(data_dir: str, wanted: str) -> None:
    """Refuses a directory that is, or would be, laid out otherwise. For the holder of the directory's lock.

    :raises WrongLayout: it was made with the other layout; it has buckets of files that would not be seen; its catalog is gone.
    """
    inner = os.path.join(data_dir, os.fsdecode(INNER))
    found = layout_of(inner)
    if found is not None and found != wanted:
        raise WrongLayout(f"it was made with --layout={found} and cannot be opened with --layout={wanted}")
    if wanted == POOL:
        buckets = [entry.name for entry in os.scandir(data_dir) if entry.is_dir() and is_bucket_name(entry.name)]
        if buckets:
            raise WrongLayout(f"--layout=pool has no place for buckets that are directories, such as {min(buckets)!r}")
        if found and not os.path.exists(os.path.join(inner, CATALOGS[POOL])):
            raise WrongLayout(
                f"{CATALOGS[POOL]} is missing in {inner}, and without it nothing is known: restore a backup,"
                " or a snapshot with `geckos3 snapshots restore`"
            )


def layout_of(inner: str) -> str | None:
    """The layout that a directory has; None when it has none yet."""
    for layout, catalog in CATALOGS.items():
        if os.path.exists(os.path.join(inner, catalog)):
            return layout
    if os.path.exists(os.path.join(inner, MARK)):
        return POOL
    buckets = os.path.join(inner, "buckets")
    return FILES if os.path.isdir(buckets) and os.listdir(buckets) else None

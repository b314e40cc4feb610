"""All rows in their order, and which of them, and of the peers, are wanted."""

from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.peers import Peer, tool
from benchmarks.rows import large, life, listing, small, warp
from benchmarks.rows.row import Row

ROWS: tuple[Row, ...] = (
    life.IDLE,
    life.START,
    *small.ROWS,
    *listing.ROWS,
    *(row for row in large.ROWS if row.mode == "plain"),
    large.MULTIPART,
    life.CROWDED,
    warp.ROW,
    *small.LAST,
    *(row for row in large.ROWS if row.mode == "tls"),
    *small.FSYNC_ROWS,
)
"""Rows of one mode stand together, as they share their servers."""


def wanted_rows(words: Sequence[str], quick: bool, peers_dir: Path) -> list[Row]:
    """Rows that have one of the words as their name or, if there is none, that begin with it, in any case.

    No word means all rows. Those that need what is not installed are left out.

    :raises click.UsageError: no row begins so.
    """
    chosen = [row for word in words for row in _meant(word)] if words else ROWS
    able = [row for row in ROWS if row in chosen and (not row.needs or tool(row.needs, peers_dir))]
    return [row for row in able if not (quick and row.long)]


def wanted_peers(found: Sequence[Peer], keys: Sequence[str]) -> list[Peer]:
    """Those with these keys, or all.

    :raises click.UsageError: one is not there.
    """
    there = {peer.key: peer for peer in found}
    missing = [key for key in keys if key not in there and key != "none"]
    if missing:
        raise click.UsageError(f"not found: {', '.join(missing)}; there are {', '.join(there) or 'none'}")
    return [peer for key, peer in there.items() if not keys or key in keys]


def _meant(word: str) -> list[Row]:
    names = {id(row): [figure.name.lower() for figure in row.figures] for row in ROWS}
    exact = [row for row in ROWS if word.lower() in names[id(row)]]
    found = exact or [row for row in ROWS if any(name.startswith(word.lower()) for name in names[id(row)])]
    if not found:
        raise click.UsageError(f"no row begins with {word!r}; --list shows all rows")
    return found

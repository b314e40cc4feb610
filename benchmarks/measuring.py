"""Rows measured by turns: ours, theirs, ours, theirs, so that whatever else the machine does hits all of them."""

import http.client
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from attrs import define, field, frozen

from benchmarks import flames
from benchmarks.client import Refused
from benchmarks.peers import Peer
from benchmarks.results import Measured, Run
from benchmarks.rows.row import Plan, Row
from benchmarks.running import LeftOut, Server, running

_TROUBLE = (LeftOut, Refused, OSError, http.client.HTTPException, subprocess.SubprocessError)


@frozen
class Bench:
    """All rows over all servers.

    :ivar folder: where servers keep their data.
    :ivar graphs: where flame graphs of our own go, or None.
    :ivar tell: is given a line of text whenever something is known.
    """

    peers: Sequence[Peer]
    plan: Plan
    folder: Path
    graphs: Path | None
    tell: Callable[[str], None]

    def measure(self, rows: Iterable[Row]) -> Iterator[Measured]:
        """Measures rows in their order; those of one mode that follow each other share their servers."""
        for number, (mode, group) in enumerate(groupby(rows, key=lambda row: row.mode)):
            able = [peer for peer in self.peers if mode in peer.modes()]
            unable = {peer.key: f"has no such mode: {mode}" for peer in self.peers if mode not in peer.modes()}
            with running(able, mode, self.folder / str(number)) as (servers, failed):
                for row in group:
                    turn = _Turn(row, self.plan, {**unable, **failed})
                    yield from turn.over(servers, self.tell)
                    self._draw(row, [one for one in servers if one.peer.ours and one.peer.key not in turn.left_out])

    def _draw(self, row: Row, servers: Sequence[Server]) -> None:
        if self.graphs is None:
            return
        for server in servers:
            try:
                server.go_on()
                self.tell(flames.draw(row, server, self.plan, self.graphs))
            except _TROUBLE as reason:
                self.tell(f"no flame graph: {str(reason) or type(reason).__name__}")
            finally:
                server.pause()


@define
class _Turn:
    """One row over all servers."""

    row: Row
    plan: Plan
    left_out: dict[str, str]
    runs: dict[str, list[tuple[Run, ...]]] = field(factory=dict)

    def over(self, servers: Sequence[Server], tell: Callable[[str], None]) -> list[Measured]:
        """Prepares all of them, then measures round by round."""
        for server in servers:
            self._with(server, servers, lambda server: self.row.prepare(server, self.plan))
        for _ in range(self.plan.runs):
            for server in servers:
                self._with(server, servers, self._run)
        measured = [
            Measured(
                figure,
                {key: [run[number] for run in runs] for key, runs in self.runs.items() if key not in self.left_out},
                dict(self.left_out),
            )
            for number, figure in enumerate(self.row.figures)
        ]
        for one in measured:
            tell(_line(one))
        return measured

    def _run(self, server: Server) -> None:
        self.runs.setdefault(server.peer.key, []).append(self.row.measure(server, self.plan))

    def _with(self, server: Server, servers: Sequence[Server], step: Callable[[Server], None]) -> None:
        """Does something with one server while the others stand still and nobody's bytes are being written back."""
        key = server.peer.key
        if key in self.left_out:
            return
        for other in servers:
            # All of them are paused already, unless somebody outside let one go on.
            other.pause()
        os.sync()
        try:
            server.go_on()
            step(server)
        except _TROUBLE as reason:
            self.left_out[key] = str(reason) or type(reason).__name__
        finally:
            server.pause()


def _line(measured: Measured) -> str:
    told = [f"{key} {measured.median_of(key):,.1f}" + ("!" * bool(measured.errors_of(key))) for key in measured.runs]
    return f"{measured.figure.name} ({measured.figure.unit}): " + ", ".join(told)

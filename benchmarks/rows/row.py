"""What a row is, and what is common to preparing them."""

from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from benchmarks.peers import PLAIN
from benchmarks.results import Figure, Run
from benchmarks.running import LeftOut, Server


@frozen
class Plan:
    """How to measure.

    :ivar seconds: length of a run.
    :ivar connections: of a row that does not say how many itself.
    :ivar fill_seconds: how long filling a bucket may take before a server is left out.
    :ivar peers_dir: where further programs are looked for.
    """

    runs: int
    seconds: float
    connections: int
    fill_seconds: float
    peers_dir: Path


@frozen
class Row:
    """One thing to measure.

    :ivar figures: what a run yields, in order.
    :ivar measure: one run against a server that is not paused.
    :ivar prepare: what is done once before, and checks that the server answers what it is asked; raises LeftOut.
    :ivar mode: how servers are run for it.
    :ivar needs: a program that must be installed for it.
    :ivar long: takes long to prepare, so that a quick benchmark does without.
    """

    figures: tuple[Figure, ...]
    measure: Callable[[Server, Plan], tuple[Run, ...]]
    prepare: Callable[[Server, Plan], None] = lambda server, plan: None
    mode: str = PLAIN
    needs: str = ""
    long: bool = False

    @property
    def name(self) -> str:
        return self.figures[0].name


def once(server: Server, name: str, step: Callable[[], None]) -> None:
    """Does a preparation that rows share the first time it is wanted.

    :raises LeftOut: it failed, now or then.
    """
    if name in server.failed:
        raise LeftOut(server.failed[name])
    if name in server.done:
        return
    try:
        step()
    except LeftOut as reason:
        server.failed[name] = str(reason)
        raise
    server.done.add(name)


def expect(found: object, wanted: object, what: str) -> None:
    """Compares what a server answered.

    :raises LeftOut: it is something else.
    """
    if found != wanted:
        raise LeftOut(f"{what}: {found!r:.80} instead of {wanted!r:.80}")

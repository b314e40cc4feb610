"""Jobs of a deployment of several nodes, which are all begun everywhere: but one does them at a time."""

from collections.abc import Callable, Iterable, Sequence
from typing import ParamSpec, TypeVar

from attrs import frozen
from zope.interface import implementer

from gecko_tw.pools import IPool, Shielded
from gecko_tw.store.drivers.interfaces import INotices
from gecko_tw.store.records import Json, Notice

P = ParamSpec("P")
T = TypeVar("T")


@frozen
class LeaderPool:
    """A pool for chores that return how much there was to do: nothing where another node does them.

    :ivar leads: whether this process does them; blocks.
    """

    pool: IPool
    leads: Callable[[], bool]

    def run(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Shielded[T | None]:
        """As IPool.run; the Deferred fires with None where nothing is done."""

        def guarded() -> T | None:
            return function(*arguments, **named) if self.leads() else None

        return self.pool.run(guarded)


@implementer(INotices)
@frozen
class LeaderNotices:
    """Events that wait, for the process that delivers them: to all others none does."""

    notices: INotices
    leads: Callable[[], bool]

    def add(self, notices: Iterable[Notice]) -> None:
        self.notices.add(notices)

    def targets(self) -> list[str]:
        return self.notices.targets() if self.leads() else []

    def waiting(self, target: str, limit: int) -> list[tuple[int, Json]]:
        return self.notices.waiting(target, limit) if self.leads() else []

    def drop(self, numbers: Sequence[int]) -> None:
        self.notices.drop(numbers)

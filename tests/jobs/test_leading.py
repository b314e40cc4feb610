"""Jobs that one of several nodes does: to all others there is nothing to do."""

from typing import Any

from zope.interface.verify import verifyObject

from gecko_tw.jobs.leading import LeaderNotices, LeaderPool
from gecko_tw.store.drivers.interfaces import INotices
from gecko_tw.store.drivers.memory_documents import MemoryNotices
from gecko_tw.store.records import Notice


class AtOnce:
    """A pool without threads."""

    def run(self, function: Any, *arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)


def test_a_chore_is_done_by_who_leads_and_by_nobody_else():
    leads, done = [True, False, True], []
    pool = LeaderPool(AtOnce(), leads.pop)
    assert pool.run(done.append, 1) is None
    assert pool.run(len, "four") is None
    assert pool.run(len, "four") == 4
    assert done == [1]


def test_events_wait_for_who_leads_and_can_be_added_by_all():
    kept, leads = MemoryNotices(), [False]
    notices = LeaderNotices(kept, lambda: leads[0])
    assert verifyObject(INotices, notices)
    notices.add([Notice("a", {"n": 1})])
    assert notices.targets() == []
    assert notices.waiting("a", 10) == []
    leads[0] = True
    assert notices.targets() == ["a"]
    ((number, event),) = notices.waiting("a", 10)
    assert event == {"n": 1}
    notices.drop([number])
    assert kept.targets() == []

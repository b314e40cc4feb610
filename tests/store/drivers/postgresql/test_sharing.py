"""What nodes tell each other, and which of them does what is done once."""

import threading
from typing import Any

import pytest
from twisted.internet.task import Clock

from gecko_tw.store.drivers.postgresql.leases import LASTS, RENEWED, Lease
from gecko_tw.store.drivers.postgresql.watch import FRESH, POLL, Watch
from gecko_tw.store.refusals import NoSuchBucket, ServiceUnavailable
from tests.clusters.postgresql import Server
from tests.contract.acts import a_bucket
from tests.store.drivers.postgresql.test_failures import wait_for


def test_a_change_of_documents_and_buckets_reaches_every_node(node: Any):
    first, second = node(), node()
    a_bucket(first)
    second.catalog.bucket("photos")
    seen = second.documents.revision()
    first.documents.change("key", "k", lambda old: {"enabled": False})
    assert wait_for(lambda: second.documents.get("key", "k") == {"enabled": False})
    assert second.documents.revision() != seen
    first.catalog.change_bucket("photos", lambda record: record.with_setting("policy", 1))
    assert wait_for(lambda: second.catalog.bucket("photos").settings == {"policy": 1})
    first.documents.change("key", "k", lambda old: None)
    assert wait_for(lambda: second.documents.all("key") == [])
    first.catalog.remove_bucket("photos")

    def is_gone() -> bool:
        try:
            second.catalog.bucket("photos")
        except NoSuchBucket:
            return True
        return False

    assert wait_for(is_gone)


def test_a_node_that_hears_nothing_asks_and_is_never_older_than_it_says(node: Any, server: Server):
    """Its connection is cut again and again: what it hears then, it has asked for."""
    first, second = node(), node()
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%FROM revision%' AND pid <> pg_backend_pid()"
    for number in range(5):
        server.execute(cut)
        first.documents.change("n", "n", lambda old, n=number: n)
        assert wait_for(lambda n=number: second.documents.get("n", "n") == n)


def test_an_answer_is_good_for_a_second_and_then_it_is_asked_for_again(node: Any):
    driver, clock = node(), Clock()
    watch = Watch(driver._connections, clock.seconds)
    assert not watch.is_fresh
    watch.pull()
    clock.advance(FRESH)
    assert watch.is_fresh
    driver.documents.change("key", "k", lambda old: 1)
    assert watch.document("key", b"k") == ""
    clock.advance(0.01)
    assert not watch.is_fresh
    assert watch.document("key", b"k") == "1"
    assert watch.revision == driver.documents.revision()
    assert POLL < FRESH / 2


def test_who_asks_while_the_database_hangs_is_refused_at_once(node: Any):
    driver, clock = node(), Clock()
    watch = Watch(driver._connections, clock.seconds)
    watch.pull()
    watch._waiting_since = clock.seconds()
    clock.advance(FRESH + 0.01)
    for verb in (lambda: watch.revision, lambda: watch.document("key", b"k"), lambda: watch.documents("key")):
        with pytest.raises(ServiceUnavailable):
            verb()
    assert watch.bucket("photos") is None


def test_one_process_has_a_lease_and_hands_it_over(node: Any):
    connections = node()._connections
    first, second = Lease(connections, "a"), Lease(connections, "a")
    other = Lease(connections, "b")
    assert first.holds() and first.holds()
    assert not second.holds()
    assert other.holds()
    first.leave()
    second._asked -= RENEWED
    assert second.holds()
    first._asked -= RENEWED
    assert not first.holds()


def test_who_was_stopped_for_long_does_not_believe_that_it_still_leads(node: Any):
    connections, clock = node()._connections, Clock()
    first, second = Lease(connections, "a", clock.seconds), Lease(connections, "a", clock.seconds)
    assert first.holds()
    connections.run("UPDATE lease SET until = now() - interval '1 second'")  # as if time had passed
    clock.advance(LASTS + 1)
    assert second.holds()
    assert not first.holds()


def test_a_lease_whose_holder_died_is_taken_when_it_ends(node: Any):
    connections, clock = node()._connections, Clock()
    assert Lease(connections, "a", clock.seconds).holds()
    second = Lease(connections, "a", clock.seconds)
    assert not second.holds()
    connections.run("UPDATE lease SET until = now() - interval '1 second'")
    assert not second.holds()  # it asks now and then only
    clock.advance(RENEWED)
    assert second.holds()


def test_a_process_leaves_its_lease_and_its_thread_when_it_closes(node: Any):
    first, second = node(), node()
    assert first.leads()
    first.close()
    first.close()
    second._lease._asked -= RENEWED
    assert second.leads()
    assert not [one for one in threading.enumerate() if one is first._watch._thread]

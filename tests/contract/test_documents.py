"""The contract of IDocuments and INotices over every driver."""

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from zope.interface.verify import verifyObject

from gecko_tw.store.drivers.interfaces import IDocuments, INotices
from gecko_tw.store.records import BucketRecord, Change, Notice
from gecko_tw.store.refusals import PreconditionFailed
from tests.contract.drivers import CANDIDATES, files
from tests.patience import PATIENCE

EVENT = {"s3": {"object": {"key": "ü"}}}


def test_they_keep_their_interfaces(driver):
    assert verifyObject(IDocuments, driver.documents)
    assert verifyObject(INotices, driver.notices)


def test_a_value_is_added_changed_and_removed(driver):
    documents = driver.documents
    assert documents.get("user", "a") is None
    assert documents.change("user", "a", lambda old: {"was": old, "ü": ["ß", 1, None]}) == {
        "was": None,
        "ü": ["ß", 1, None],
    }
    assert documents.get("user", "a") == {"was": None, "ü": ["ß", 1, None]}
    documents.change("user", "a", lambda old: {"was": old["ü"]})
    assert documents.get("user", "a") == {"was": ["ß", 1, None]}
    assert documents.change("user", "a", lambda old: None) is None
    assert documents.get("user", "a") is None


def test_a_value_that_is_kept_is_changed_by_no_other_way(driver):
    given = {"names": ["a"]}
    driver.documents.change("user", "a", lambda old: given)
    given["names"].append("b")
    driver.documents.get("user", "a")["names"].append("c")
    driver.documents.all("user")[0][1]["names"].append("d")
    assert driver.documents.get("user", "a") == {"names": ["a"]}


def test_a_rule_that_changes_what_it_is_given_is_kept_or_refused_as_a_whole(driver):
    driver.documents.change("user", "a", lambda old: {"names": ["a"]})
    seen = driver.documents.revision()

    def refused(old):
        old["names"].append("b")
        raise PreconditionFailed

    with pytest.raises(PreconditionFailed):
        driver.documents.change("user", "a", refused)
    assert driver.documents.get("user", "a") == {"names": ["a"]}
    assert driver.documents.revision() == seen


def test_kinds_are_apart_and_listed_by_name(driver):
    for kind, name in (("user", "b"), ("user", "a"), ("key", "c"), ("user", "a/b")):
        driver.documents.change(kind, name, lambda old: 1)
    assert driver.documents.all("user") == [("a", 1), ("a/b", 1), ("b", 1)]
    assert driver.documents.all("group") == []
    assert driver.documents.kinds() == ["key", "user"]
    driver.documents.change("key", "c", lambda old: None)
    assert driver.documents.kinds() == ["user"]


def test_a_rule_that_refuses_changes_nothing(driver):
    driver.documents.change("user", "a", lambda old: 1)

    def refuse(old):
        raise PreconditionFailed

    with pytest.raises(PreconditionFailed):
        driver.documents.change("user", "a", refuse)
    assert driver.documents.get("user", "a") == 1


def test_the_revision_is_another_one_after_every_change_and_only_then(driver):
    documents, catalog = driver.documents, driver.catalog
    seen = [documents.revision()]
    for change in (
        lambda: documents.change("user", "a", lambda old: 1),
        lambda: documents.change("user", "a", lambda old: 2),
        lambda: documents.change("user", "a", lambda old: None),
        lambda: catalog.add_bucket(BucketRecord(name="photos", created=1)),
        lambda: catalog.change_bucket("photos", lambda record: record.with_setting("x", 1)),
        lambda: catalog.remove_bucket("photos"),
    ):
        change()
        assert documents.revision() not in seen
        seen.append(documents.revision())
    documents.change("user", "a", lambda old: None)
    assert documents.revision() == seen[-1]


def test_changes_from_several_threads_are_all_counted(driver):
    def increment(_):
        driver.documents.change("count", "x", lambda old: (old or 0) + 1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(increment, range(60)))
    assert driver.documents.get("count", "x") == 60


def test_events_wait_in_order_for_each_destination_until_they_are_dropped(driver):
    notices = driver.notices
    notices.add([Notice("a", {"n": 1}), Notice("b", {"n": 2})])
    notices.add([Notice("a", {"n": 3})])
    assert notices.targets() == ["a", "b"]
    first, second = notices.waiting("a", 10)
    assert (first[1], second[1]) == ({"n": 1}, {"n": 3})
    assert first[0] < second[0]
    assert notices.waiting("a", 1) == [first]
    notices.drop([first[0]])
    assert notices.waiting("a", 10) == [second]
    notices.drop([second[0]])
    assert notices.targets() == ["b"]
    notices.add([Notice("a", {"n": 4})])
    assert notices.waiting("a", 10)[0][0] > second[0]


def test_events_of_a_change_are_kept_with_it_or_not_at_all(driver):
    driver.catalog.add_bucket(BucketRecord(name="photos", created=1))
    driver.catalog.change_history("photos", b"k", lambda record, history: Change(history, None, (Notice("a", EVENT),)))
    assert [event for _, event in driver.notices.waiting("a", 10)] == [EVENT]

    def refused(record, history):
        Change(history, None, (Notice("b", EVENT),))
        raise PreconditionFailed

    with pytest.raises(PreconditionFailed):
        driver.catalog.change_history("photos", b"k", refused)
    assert driver.notices.targets() == ["a"]


@pytest.mark.parametrize("again", ["reopen", "rebuild"])
def test_all_of_it_outlives_a_restart_and_a_rebuild(tmp_path, again):
    with CANDIDATES["files"].opened(tmp_path) as driver:
        driver.documents.change("user", "a", lambda old: {"x": 1})
        driver.notices.add([Notice("a", EVENT)])
        seen = driver.documents.revision()
        if again == "rebuild":
            driver.rebuild()
            assert driver.documents.revision() != seen
    with CANDIDATES["files"].opened(tmp_path) as driver:
        assert driver.documents.all("user") == [("a", {"x": 1})]
        assert [event for _, event in driver.notices.waiting("a", 10)] == [EVENT]


def _change_and_die(folder):
    driver = files(folder)
    driver.documents.change("user", "a", lambda old: {"x": 1})
    os._exit(0)


@pytest.mark.parametrize("again", ["reopen", "rebuild"])
def test_what_a_process_that_died_had_changed_is_there(tmp_path, again):
    dying = multiprocessing.get_context("spawn").Process(target=_change_and_die, args=(tmp_path,))
    dying.start()
    dying.join(PATIENCE)
    assert dying.exitcode == 0
    with CANDIDATES["files"].opened(tmp_path) as driver:
        if again == "rebuild":
            driver.rebuild()
        assert driver.documents.all("user") == [("a", {"x": 1})]


def test_documents_outlive_the_catalog(tmp_path):
    with CANDIDATES["files"].opened(tmp_path) as driver:
        driver.catalog.add_bucket(BucketRecord(name="photos", created=1))
        driver.documents.change("user", "a/ü", lambda old: {"x": [1, None]})
        driver.documents.change("user", "gone", lambda old: 1)
        driver.documents.change("user", "gone", lambda old: None)
    for catalog in (tmp_path / ".geckos3").glob("catalog.sqlite*"):
        catalog.unlink()
    with CANDIDATES["files"].opened(tmp_path) as driver:
        assert driver.documents.all("user") == [("a/ü", {"x": [1, None]})]


def _change_elsewhere(folder):
    driver = files(folder)
    driver.documents.change("user", "a", lambda old: old + 1)
    driver.close()


def test_another_process_sees_a_change_at_once(tmp_path):
    with CANDIDATES["files"].opened(tmp_path) as driver:
        driver.documents.change("user", "a", lambda old: 1)
        seen = driver.documents.revision()
        other = multiprocessing.get_context("spawn").Process(target=_change_elsewhere, args=(tmp_path,))
        other.start()
        other.join(PATIENCE)
        assert other.exitcode == 0
        assert driver.documents.get("user", "a") == 2
        assert driver.documents.revision() != seen


def test_several_values_are_replaced_in_one_step(driver):
    documents = driver.documents
    documents.change("user", "a", lambda old: 1)
    assert documents.replace({("user", "a"): None, ("user", "b"): {"n": 1}, ("key", "c"): 2}, documents.revision())
    assert documents.all("user") == [("b", {"n": 1})]
    assert documents.get("key", "c") == 2


def test_nothing_is_replaced_when_something_was_changed_meanwhile(driver):
    documents = driver.documents
    seen = documents.revision()
    documents.change("group", "g", lambda old: 1)
    assert not documents.replace({("user", "a"): 1, ("user", "b"): 1}, seen)
    assert documents.all("user") == []
    assert documents.replace({("user", "a"): 1}, documents.revision())


def test_of_many_that_replace_what_they_read_none_is_lost(driver):
    documents = driver.documents

    def add(_):
        while True:
            seen = documents.revision()
            if documents.replace({("n", "n"): (documents.get("n", "n") or 0) + 1}, seen):
                return

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, range(40)))
    assert documents.get("n", "n") == 40

"""Lifecycle rules applied to whole buckets, over the reference driver and over the default one."""

from typing import Any

import pytest
from attrs import evolve

from gecko_tw.store import expiry
from gecko_tw.store.expiry import Expiry, Tally
from gecko_tw.store.records import BucketRecord, DeleteMarker
from gecko_tw.store.refusals import SlowDown
from gecko_tw.store.requests import ListRequest, Remove
from gecko_tw.store.rules.lifecycle import DAY, SMALLEST
from tests.store.shop import BUCKET, NOW, Shop, open_shop

MONTH = 30 * DAY


def rule(prefix: str = "log/", name: str = "one", **actions: Any) -> dict[str, Any]:
    return {"ID": name, "Status": "Enabled", "Filter": {"Prefix": prefix}, **actions}


def set_rules(shop: Shop, *rules: dict[str, Any], versioning: str | None = None) -> None:
    def change(record: BucketRecord) -> BucketRecord:
        return record.with_setting("lifecycle", list(rules)).with_setting("versioning", versioning)

    shop.buckets.change(BUCKET, change)


def run(shop: Shop, now: int) -> Tally:
    return Expiry(shop.uploads).run(now)


def versions_of(shop: Shop) -> list[tuple[bytes, bool]]:
    """Keys, and whether each version has data, newest first."""
    entries = shop.objects.page(BUCKET, ListRequest(), "versions").entries
    return [(entry.key, entry.version is not None) for entry in entries]


def test_objects_expire_and_others_stay(shop: Shop) -> None:
    set_rules(shop, rule(Expiration={"Days": 10}))
    for key in (b"cat", b"log/a", b"log/b", b"logbook"):
        shop.put(key, b"data")
    shop.put(b"log/young", b"data", now=NOW + 25 * DAY)
    assert run(shop, NOW + 9 * DAY) == Tally()
    assert run(shop, NOW + MONTH) == Tally(expired=2)
    assert shop.listed() == [b"cat", b"log/young", b"logbook"]
    assert shop.orphans() == set()
    assert run(shop, NOW + MONTH) == Tally()


def test_what_expires_is_told(shop: Shop) -> None:
    set_rules(
        shop, rule(Expiration={"Days": 10}, NoncurrentVersionExpiration={"NoncurrentDays": 1}), versioning="Enabled"
    )
    told = {"Id": "x", "QueueArn": "arn", "Events": ["s3:LifecycleExpiration:*"]}
    shop.buckets.change(BUCKET, lambda record: record.with_setting("notification", {"QueueConfigurations": [told]}))
    shop.put(b"log/a", b"data")
    run(shop, NOW + MONTH)
    run(shop, NOW + 2 * MONTH)
    events = [event["eventName"] for _, event in shop.driver.notices.waiting("arn", 10)]
    # The last one is of the delete marker, which hides nothing any more.
    assert events == ["LifecycleExpiration:DeleteMarkerCreated", *["LifecycleExpiration:Delete"] * 2]


def test_rules_of_several_prefixes_and_more_keys_than_a_page(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "_PAGE", 7)
    rules = [rule(f"{name}/", name, Expiration={"Days": 1}) for name in ("a", "b", "a/deep")]
    set_rules(shop, *rules)
    for number in range(40):
        shop.put(b"%c/deep/%d" % (b"abc"[number % 3], number), b"data")
    assert run(shop, NOW + MONTH) == Tally(expired=27)
    assert {key[:1] for key in shop.listed()} == {b"c"}


def test_a_key_with_more_versions_than_a_page_is_seen_as_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "_PAGE", 3)
    action = {"NoncurrentDays": 1, "NewerNoncurrentVersions": 5}
    set_rules(shop, rule(NoncurrentVersionExpiration=action), versioning="Enabled")
    for number in range(10):
        shop.put(b"log/a", b"data %d" % number, now=NOW + number)
        shop.put(b"log/b", b"data %d" % number, now=NOW + number)
    assert run(shop, NOW + MONTH) == Tally(removed=8)
    assert versions_of(shop) == [(b"log/a", True)] * 6 + [(b"log/b", True)] * 6
    assert shop.get(b"log/a") == b"data 9"
    assert shop.orphans() == set()


def test_with_versioning_an_object_goes_step_by_step(shop: Shop) -> None:
    actions = {"Expiration": {"Days": 10}, "NoncurrentVersionExpiration": {"NoncurrentDays": 10}}
    set_rules(shop, rule(**actions), versioning="Enabled")
    shop.put(b"log/a", b"data")
    assert run(shop, NOW + 12 * DAY) == Tally(expired=1)
    assert shop.listed() == []
    assert versions_of(shop) == [(b"log/a", False), (b"log/a", True)]
    assert run(shop, NOW + 13 * DAY) == Tally()
    assert run(shop, NOW + 25 * DAY) == Tally(removed=2)
    assert versions_of(shop) == []
    assert shop.orphans() == set()


def test_a_marker_that_lifecycle_made_belongs_to_the_owner_of_the_bucket(shop: Shop) -> None:
    set_rules(shop, rule(Expiration={"Days": 1}), versioning="Enabled")
    shop.put(b"log/a", b"data", owner="somebody")
    run(shop, NOW + MONTH)
    marker = shop.driver.catalog.history(BUCKET, b"log/a").versions[0]
    assert isinstance(marker, DeleteMarker)
    assert (marker.owner, marker.modified) == ("me", NOW + MONTH)


def test_tags_are_looked_up_where_they_decide(shop: Shop) -> None:
    chosen = {"ID": "tag", "Status": "Enabled", "Filter": {"Tag": {"Key": "kind", "Value": "tmp"}}}
    actions = {"Expiration": {"Days": 5}, "NoncurrentVersionExpiration": {"NoncurrentDays": 5}}
    set_rules(shop, {**chosen, **actions}, versioning="Enabled")
    shop.put(b"a", b"1", tags={"kind": "tmp"})
    shop.put(b"b", b"1", tags={"kind": "cat"})
    shop.put(b"c", b"1", tags={"kind": "tmp"})
    shop.put(b"c", b"2", now=NOW + 1, tags={"kind": "cat"})
    changes: list[bytes] = []
    real = shop.objects.catalog.change_history
    shop.objects.catalog.change_history = lambda bucket, key, *more: changes.append(key) or real(bucket, key, *more)
    assert run(shop, NOW + MONTH) == Tally(expired=1, removed=1)
    assert versions_of(shop) == [(b"a", False), (b"a", True), (b"b", True), (b"c", True)]
    assert changes == [b"a", b"c"]


def test_uploads_are_aborted_by_the_rule_of_their_prefix(shop: Shop) -> None:
    set_rules(shop, rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 2}))
    for key in (b"log/a", b"cat"):
        shop.begin(key)
        shop.send(key, 1, b"part one")
    shop.begin(b"log/a", "young", initiated=NOW + 2 * DAY)
    assert run(shop, NOW + 2 * DAY) == Tally()
    assert run(shop, NOW + 4 * DAY) == Tally(aborted=1)
    left = shop.objects.page(BUCKET, ListRequest(), "uploads").entries
    assert [(entry.key, entry.id) for entry in left] == [(b"cat", "u1"), (b"log/a", "young")]
    assert shop.orphans() == set()


def test_a_locked_version_survives_its_rules(shop: Shop) -> None:
    shop.buckets.change(BUCKET, lambda record: record.with_setting("object-lock", {}))
    actions = {"Expiration": {"Days": 1}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}
    set_rules(shop, rule(**actions), versioning="Enabled")
    retention = {"mode": "GOVERNANCE", "until": NOW + 2 * MONTH}
    shop.put(b"log/a", b"data", extra={"retention": retention})
    assert run(shop, NOW + 10 * DAY) == Tally(expired=1)
    assert run(shop, NOW + MONTH) == Tally()
    assert versions_of(shop) == [(b"log/a", False), (b"log/a", True)]
    assert run(shop, NOW + 3 * MONTH) == Tally(removed=2)


TIERING = {"StorageClass": "INTELLIGENT_TIERING"}
MOVED, OLD_MOVED = {"Days": 1, **TIERING}, {"NoncurrentDays": 1, **TIERING}
LARGE = b"x" * SMALLEST


def classes_of(shop: Shop) -> list[tuple[bytes, str]]:
    """The keys of versions and delete markers with their storage classes, newest first."""
    return [(entry.key, entry.storage_class) for entry in shop.objects.page(BUCKET, ListRequest(), "versions").entries]


def test_objects_are_moved_and_others_stay_where_they_are(shop: Shop) -> None:
    set_rules(shop, rule(Transitions=[MOVED]))
    for key in (b"cat", b"log//a", b"log/a", b"log/b"):
        made = shop.put(key, LARGE, headers={"content-type": "text/plain"}, tags={"a": "b"})
    shop.put(b"log/small", LARGE[1:])
    shop.put(b"log/young", LARGE, now=NOW + MONTH)
    assert run(shop, NOW) == Tally()
    assert run(shop, NOW + MONTH) == Tally(moved=3)
    assert [key for key, name in classes_of(shop) if name == "INTELLIGENT_TIERING"] == [b"log//a", b"log/a", b"log/b"]
    moved = shop.objects.look(BUCKET, b"log/b")
    assert evolve(moved, headers=made.headers, spans=()) == evolve(made, spans=())
    assert shop.get(b"log/a") == LARGE
    assert run(shop, NOW + MONTH) == Tally()


def test_all_versions_are_moved_the_null_version_as_well(shop: Shop) -> None:
    shop.put(b"log/a", LARGE)
    set_rules(shop, rule(Transitions=[MOVED], NoncurrentVersionTransitions=[OLD_MOVED]), versioning="Enabled")
    shop.put(b"log/a", LARGE, now=NOW + 1)
    shop.put(b"log/a", LARGE, now=NOW + 2)
    shop.remove(b"log/a", now=NOW + 3)
    shop.put(b"log/b", LARGE)
    assert run(shop, NOW + MONTH) == Tally(moved=4)
    moved = "INTELLIGENT_TIERING"
    assert classes_of(shop) == [(b"log/a", ""), *[(b"log/a", moved)] * 3, (b"log/b", moved)]


def test_a_move_is_told_with_where_it_leads(shop: Shop) -> None:
    set_rules(shop, rule(Transitions=[MOVED]))
    told = {"Id": "x", "QueueArn": "arn", "Events": ["s3:LifecycleTransition"]}
    shop.buckets.change(BUCKET, lambda record: record.with_setting("notification", {"QueueConfigurations": [told]}))
    made = shop.put(b"log/a", LARGE)
    run(shop, NOW + MONTH)
    [(_, event)] = shop.driver.notices.waiting("arn", 10)
    assert (event["eventName"], event["eventVersion"]) == ("LifecycleTransition", "2.3")
    assert event["lifecycleEventData"] == {"transitionEventData": {"destinationStorageClass": "INTELLIGENT_TIERING"}}
    assert (event["s3"]["object"]["key"], event["s3"]["object"]["eTag"]) == ("log/a", made.etag)


def test_tags_are_looked_up_where_they_decide_between_moving_and_going(shop: Shop) -> None:
    chosen = {"ID": "tag", "Status": "Enabled", "Filter": {"Tag": {"Key": "kind", "Value": "tmp"}}}
    further = {"Days": 1, "StorageClass": "GLACIER_IR"}
    set_rules(
        shop,
        {**chosen, "NoncurrentVersionExpiration": {"NoncurrentDays": 5}, "Transitions": [further]},
        rule(NoncurrentVersionTransitions=[OLD_MOVED], Transitions=[MOVED]),
        versioning="Enabled",
    )
    for key, kind in ((b"log/a", "tmp"), (b"log/b", "cat")):
        shop.put(key, LARGE, tags={"kind": kind})
        shop.put(key, LARGE, now=NOW + 1, tags={"kind": kind})
    assert run(shop, NOW + MONTH) == Tally(removed=1, moved=3)
    assert classes_of(shop) == [(b"log/a", "GLACIER_IR"), *[(b"log/b", "INTELLIGENT_TIERING")] * 2]


def test_a_locked_version_that_cannot_go_is_moved(shop: Shop) -> None:
    shop.buckets.change(BUCKET, lambda record: record.with_setting("object-lock", {}))
    actions = {
        "NoncurrentVersionTransitions": [OLD_MOVED],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 2},
    }
    set_rules(shop, rule(**actions), versioning="Enabled")
    shop.put(b"log/a", LARGE, extra={"legal-hold": True})
    shop.put(b"log/a", LARGE, now=NOW + 1)
    assert run(shop, NOW + MONTH) == Tally(moved=1)
    assert classes_of(shop) == [(b"log/a", ""), (b"log/a", "INTELLIGENT_TIERING")]
    assert run(shop, NOW + MONTH) == Tally()


def test_an_object_is_moved_before_a_marker_hides_it(shop: Shop) -> None:
    set_rules(shop, rule(Transitions=[MOVED], Expiration={"Days": 2}), versioning="Enabled")
    shop.put(b"log/a", LARGE)
    assert run(shop, NOW + MONTH) == Tally(moved=1, expired=1)
    assert classes_of(shop) == [(b"log/a", ""), (b"log/a", "INTELLIGENT_TIERING")]


def test_an_object_that_goes_is_not_moved_before(shop: Shop) -> None:
    set_rules(shop, rule(Transitions=[MOVED], Expiration={"Days": 2}))
    shop.put(b"log/a", LARGE)
    assert run(shop, NOW + MONTH) == Tally(expired=1)
    assert shop.listed() == []


def test_an_object_written_while_it_is_about_to_be_moved_stays_where_it_is(shop: Shop) -> None:
    set_rules(shop, rule(Transitions=[MOVED]))
    shop.put(b"log/a", LARGE)
    real = shop.objects.catalog.change_history

    def overtaken(*arguments: Any) -> Any:
        shop.objects.catalog.change_history = real
        shop.put(b"log/a", LARGE, now=NOW + MONTH)
        return real(*arguments)

    shop.objects.catalog.change_history = overtaken
    assert run(shop, NOW + MONTH) == Tally()
    assert classes_of(shop) == [(b"log/a", "")]


def test_an_object_written_while_it_is_about_to_expire_stays(shop: Shop) -> None:
    set_rules(shop, rule(Expiration={"Days": 1}))
    shop.put(b"log/a", b"old")
    real = shop.objects.catalog.change_history

    def overtaken(*arguments: Any) -> Any:
        shop.objects.catalog.change_history = real
        shop.put(b"log/a", b"new", now=NOW + MONTH)
        return real(*arguments)

    shop.objects.catalog.change_history = overtaken
    assert run(shop, NOW + MONTH) == Tally()
    assert shop.get(b"log/a") == b"new"


def test_rules_that_are_removed_meanwhile_let_nothing_go(shop: Shop) -> None:
    set_rules(shop, rule(Expiration={"Days": 1}))
    shop.put(b"log/a", b"data")
    real = shop.objects.catalog.change_history

    def overtaken(*arguments: Any) -> Any:
        shop.objects.catalog.change_history = real
        shop.buckets.change(BUCKET, lambda record: record.with_setting("lifecycle", None))
        return real(*arguments)

    shop.objects.catalog.change_history = overtaken
    assert run(shop, NOW + MONTH) == Tally()
    assert shop.get(b"log/a") == b"data"


class Walks:
    """An Expiry over a store in memory, and how often it looked through the bucket."""

    def __init__(self, day: float = 86_400.0) -> None:
        self.shop = open_shop()
        self.expiry = Expiry(self.shop.uploads, day)
        self.pages = 0
        catalog = self.shop.driver.catalog
        real = catalog.page

        def page(*arguments: Any) -> Any:
            self.pages += 1
            return real(*arguments)

        catalog.page = page

    def after(self, now: int) -> int:
        self.pages = 0
        self.expiry.run(now)
        return self.pages


def test_a_bucket_is_looked_through_once_a_day_and_when_its_rules_change() -> None:
    walks, midnight = Walks(), NOW // DAY * DAY
    assert walks.after(midnight) == 0
    set_rules(walks.shop, rule(Expiration={"Days": 1}))
    assert walks.after(midnight) == 1
    assert walks.after(midnight + DAY - 1) == 0
    assert walks.after(midnight + DAY) == 1
    set_rules(walks.shop, rule(Expiration={"Days": 2}))
    assert walks.after(midnight + DAY) == 1
    assert walks.after(midnight + DAY) == 0


def test_short_days_are_looked_for_each_time() -> None:
    walks = Walks(day=10)
    set_rules(walks.shop, rule(Expiration={"Days": 1}))
    assert [walks.after(NOW), walks.after(NOW + 1)] == [1, 1]
    walks.shop.put(b"log/a", b"data")
    assert walks.expiry.run(NOW + 9 * 10**9) == Tally()
    assert walks.expiry.run(NOW + 10 * 10**9) == Tally(expired=1)


def test_a_bucket_with_rules_that_are_all_disabled_is_not_looked_through() -> None:
    walks = Walks()
    set_rules(walks.shop, {**rule(Expiration={"Days": 1}), "Status": "Disabled"})
    assert walks.after(NOW + MONTH) == 0


def test_a_bucket_that_could_not_be_finished_is_looked_through_again() -> None:
    walks = Walks()
    set_rules(walks.shop, rule(Expiration={"Days": 1}))
    walks.shop.put(b"log/a", b"data")
    catalog = walks.shop.driver.catalog
    real = catalog.change_history

    def busy(*arguments: Any) -> Any:
        raise SlowDown

    catalog.change_history = busy
    assert walks.expiry.run(NOW + MONTH) == Tally(busy=1)
    catalog.change_history = real
    assert walks.expiry.run(NOW + MONTH) == Tally(expired=1)


def test_a_bucket_that_is_removed_meanwhile_is_passed_over() -> None:
    walks = Walks()
    set_rules(walks.shop, rule(Expiration={"Days": 1}))
    catalog = walks.shop.driver.catalog
    real = catalog.page

    def gone(*arguments: Any) -> Any:
        walks.shop.buckets.remove(BUCKET)
        return real(*arguments)

    catalog.page = gone
    assert walks.expiry.run(NOW + MONTH) == Tally()


def test_a_removed_version_and_a_run_do_not_disturb_each_other(shop: Shop) -> None:
    set_rules(shop, rule(NoncurrentVersionExpiration={"NoncurrentDays": 1}), versioning="Enabled")
    made = [shop.put(b"log/a", b"data %d" % number, now=NOW + number) for number in range(3)]
    shop.objects.remove(BUCKET, b"log/a", Remove(now=NOW + 9, version_id=made[0].version_id))
    assert run(shop, NOW + MONTH) == Tally(removed=1)
    assert shop.get(b"log/a") == b"data 2"


def test_a_version_that_goes_while_pages_are_read_lets_no_more_go(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "_PAGE", 3)
    action = {"NoncurrentDays": 1, "NewerNoncurrentVersions": 5}
    set_rules(shop, rule(NoncurrentVersionExpiration=action), versioning="Enabled")
    made = [shop.put(b"log/a", b"data %d" % number, now=NOW + number).version_id for number in range(10)]
    catalog = shop.driver.catalog
    real = catalog.page

    def disturbed(*arguments: Any) -> Any:
        page = real(*arguments)
        catalog.page = real
        shop.remove(b"log/a", version_id=made[7])  # the last one of the first page
        shop.remove(b"log/a", version_id=made[8])
        return page

    monkeypatch.setattr(catalog, "page", disturbed)
    assert run(shop, NOW + MONTH) == Tally(removed=2)
    left = [entry.id for entry in shop.objects.page(BUCKET, ListRequest(), "versions").entries]
    assert left == [made[9], *made[6:1:-1]]


def test_a_run_that_is_cut_short_has_removed_the_oldest_versions(shop: Shop) -> None:
    set_rules(shop, rule(NoncurrentVersionExpiration={"NoncurrentDays": 1}), versioning="Enabled")
    made = [shop.put(b"log/a", b"data %d" % number, now=NOW + number * DAY).version_id for number in range(5)]
    work = Expiry(shop.uploads)
    real = shop.objects.catalog.change_history

    def stopped(*arguments: Any) -> Any:
        work.stopping = True
        return real(*arguments)

    shop.objects.catalog.change_history = stopped
    assert work.run(NOW + MONTH) == Tally(removed=1)
    left = [entry.id for entry in shop.objects.page(BUCKET, ListRequest(), "versions").entries]
    assert left == made[:0:-1]


def test_a_locked_version_hinders_no_other(shop: Shop) -> None:
    set_rules(shop, rule(NoncurrentVersionExpiration={"NoncurrentDays": 1}), versioning="Enabled")
    shop.buckets.change(BUCKET, lambda record: record.with_setting("object-lock", {}))
    made = [shop.put(b"log/a", b"%d" % number, extra={"legal-hold": number == 1}).version_id for number in range(4)]
    assert run(shop, NOW + MONTH) == Tally(removed=2)
    left = [entry.id for entry in shop.objects.page(BUCKET, ListRequest(), "versions").entries]
    assert left == [made[3], made[1]]

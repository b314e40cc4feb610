"""What versioning and Object Lock promise, by the verbs of objects, over every driver."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gecko_tw.store.drivers.interfaces import IBlobCloning, IBlobRereading
from gecko_tw.store.objects import Objects
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import BlobNote, BucketRecord, Change, KeyHistory, Part, Span, Upload, Version
from gecko_tw.store.refusals import BucketNotEmpty, DeleteMarkerNamed, NoSuchKey, ObjectLocked
from gecko_tw.store.requests import Complete, ListRequest, Put, PutPart, Remove, WantedPart
from gecko_tw.store.rules import locks
from gecko_tw.store.upkeep import Upkeep
from gecko_tw.store.uploads import Uploads
from tests.contract.drivers import Candidate
from tests.store.shop import read_all

NOW = 1_700_000_000 * 10**9
HOUR = 3600 * 10**9


def store(driver: Any, **setting: Any) -> Objects:
    driver.catalog.add_bucket(BucketRecord(name="photos", created=1, settings=setting))
    return Objects(driver.catalog, driver.blobs)


def switch(objects: Objects, name: str, value: Any) -> None:
    objects.catalog.change_bucket("photos", lambda record: record.with_setting(name, value))


def put(objects: Objects, data: bytes, key: bytes = b"k", **more: Any) -> str:
    incoming = objects.receive()
    incoming.push(data)
    incoming.flush()
    return objects.put("photos", key, incoming, Put(**{"now": NOW, **more})).version_id


def remove(objects: Objects, version_id: str | None = None, **more: Any) -> Any:
    return objects.remove("photos", b"k", Remove(**{"now": NOW, "version_id": version_id, **more}))


def read(objects: Objects, version_id: str | None = None) -> bytes:
    reading = reconciled(objects.open, "photos", b"k", version_id)
    try:
        return read_all(reading)
    finally:
        reading.close()


def test_an_older_version_may_get_other_bytes_and_stays_where_it_is(driver):
    objects = store(driver, versioning="Enabled")
    old, new = put(objects, b"old"), put(objects, b"new")
    former = reconciled(objects.look, "photos", b"k", old)
    writer = driver.blobs.create()
    writer.write(b"odl")
    blob = writer.commit(BlobNote(bucket="photos", key=b"k", record=former.lying(())))
    whole = former.lying((Span(blob, 0, 3),))

    def rule(bucket: BucketRecord, history: KeyHistory) -> Change:
        return Change(history.having(tuple(whole if one == former else one for one in history.versions)))

    objects.place("photos", b"k", rule, blob, version_id=old)
    driver.flush()
    assert [read(objects, one) for one in (None, old, new)] == [b"new", b"odl", b"new"]
    assert listed(objects) == [(new, True, False), (old, False, False)]
    assert reconciled(objects.look, "photos", b"k", old).lying(()) == former.lying(())


def test_what_is_read_again_is_what_is_stored(driver):
    objects = store(driver)
    put(objects, b"old")
    assert read(objects) == b"old"
    if IBlobRereading.providedBy(driver.blobs):
        (span,) = reconciled(objects.look, "photos", b"k").spans
        reader = driver.blobs.reread(span.blob)
        assert reader.read(0, 9) == b"old"
        reader.close()


def listed(objects: Objects, what: str = "versions") -> list[tuple[str, bool, bool]]:
    """Id, whether it is the newest, and whether it is a delete marker."""
    page = reconciled(objects.page, "photos", ListRequest(), what)
    return [(entry.id, entry.newest, entry.version is None) for entry in page.entries]


deeds = st.lists(
    st.sampled_from(
        ["Enabled", "Suspended", "put", "put", "put", "empty", "delete", "delete 0", "delete 1", "delete 2", "amend"]
    ),
    max_size=12,
)


@given(deeds)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_version_stays_readable_until_it_is_removed(candidate: Candidate, tmp_path_factory: Any, done: list[str]):
    with candidate.opened(tmp_path_factory.mktemp("data")) as driver:
        objects = store(driver)
        model: list[tuple[str, bytes | None]] = []
        for number, deed in enumerate(done):
            word, _, place = deed.partition(" ")
            if deed in ("Enabled", "Suspended"):
                switch(objects, "versioning", deed)
            elif deed in ("put", "empty"):
                data = b"" if deed == "empty" else b"%d" % number
                version_id = put(objects, data)
                model = [(version_id, data), *(entry for entry in model if entry[0] != version_id)]
            elif deed == "delete":
                removed = remove(objects)
                if removed.marker:
                    model = [entry for entry in model if entry[0] != removed.version_id]
                    model.insert(0, (removed.version_id, None))
                else:
                    model = []
            elif word == "delete" and int(place) < len(model):
                remove(objects, model.pop(int(place))[0])
            elif deed == "amend" and model and model[0][1] is not None:
                tagged = objects.amend("photos", b"k", None, lambda one, _: evolve(one, tags={"a": "b"}))
                assert objects.look("photos", b"k", tagged.version_id).tags == {"a": "b"}
            _agree(objects, model)


def _agree(objects: Objects, model: list[tuple[str, bytes | None]]) -> None:
    assert listed(objects) == [(id_, place == 0, data is None) for place, (id_, data) in enumerate(model)]
    for version_id, data in model:
        if data is None:
            with pytest.raises(DeleteMarkerNamed):
                reconciled(objects.look, "photos", b"k", version_id)
        else:
            assert read(objects, version_id) == data
    if model and model[0][1] is not None:
        assert read(objects) == model[0][1]
        assert [one[0] for one in listed(objects, "objects")] == [model[0][0]]
    else:
        assert listed(objects, "objects") == []
        with pytest.raises(NoSuchKey):
            reconciled(objects.look, "photos", b"k")


def test_a_bucket_with_nothing_but_a_delete_marker_is_not_removed(driver: Any):
    objects = store(driver, versioning="Enabled")
    marker = remove(objects)
    with pytest.raises(BucketNotEmpty):
        driver.catalog.remove_bucket("photos")
    remove(objects, marker.version_id)
    driver.catalog.remove_bucket("photos")


def test_a_completed_upload_is_one_more_version_with_the_default_retention(driver: Any):
    objects = store(driver, versioning="Enabled", **{"object-lock": {"mode": "COMPLIANCE", "days": 1}})
    uploads = Uploads(objects, min_part_size=0)
    first = put(objects, b"first")
    uploads.create("photos", b"k", Upload(id="u", initiated=NOW))
    incoming = objects.receive()
    incoming.push(b"second")
    part: Part = uploads.put_part("photos", b"k", "u", incoming, PutPart(now=NOW, number=1))
    request = Complete(now=NOW + HOUR, parts=(WantedPart(1, part.etag),))
    second: Version = uploads.complete("photos", b"k", "u", request)
    assert [one[0] for one in listed(objects)] == [second.version_id, first]
    assert second.extra["retention"] == {"mode": "COMPLIANCE", "until": NOW + 25 * HOUR}
    assert read(objects) == b"second"
    assert read(objects, first) == b"first"
    with pytest.raises(ObjectLocked):
        remove(objects, second.version_id, now=NOW + 24 * HOUR, bypass=True)
    assert uploads.complete("photos", b"k", "u", request).version_id == second.version_id


@pytest.mark.parametrize("rebuilt", [False, True])
def test_protection_survives_a_restart_and_a_rebuild(candidate: Candidate, tmp_path: Any, rebuilt: bool):
    if not candidate.lasting:
        pytest.skip("nothing survives it")
    if rebuilt and not candidate.rebuilds:
        pytest.skip("its files cannot tell what they were")
    with candidate.opened(tmp_path) as driver:
        objects = store(driver, versioning="Enabled", **{"object-lock": {"mode": "GOVERNANCE", "days": 1}})
        older, newer = put(objects, b"1"), put(objects, b"2")
        objects.amend("photos", b"k", older, lambda version, bucket: locks.with_hold(version, bucket, True))
    with candidate.opened(tmp_path) as driver:
        if rebuilt:
            driver.rebuild()
        objects = Objects(driver.catalog, driver.blobs)
        assert [one[0] for one in listed(objects)] == [newer, older]
        for version_id in (older, newer):
            with pytest.raises(ObjectLocked):
                remove(objects, version_id)
        remove(objects, newer, bypass=True)
        with pytest.raises(ObjectLocked):
            remove(objects, older, now=NOW + 50 * HOUR, bypass=True)
        assert read(objects) == b"1"


def test_a_bucket_that_was_not_removed_hinders_nobody(driver: Any):
    objects = store(driver, versioning="Enabled")
    put(objects, b"1"), put(objects, b"2")
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        refusal = one.submit(driver.catalog.remove_bucket, "photos").exception()
        assert isinstance(refusal, BucketNotEmpty)
        other.submit(put, objects, b"3").result()
        one.submit(put, objects, b"4").result()
    assert len(listed(objects)) == 4


def complete(objects: Objects, upload_id: str) -> str:
    uploads = Uploads(objects, min_part_size=0)
    uploads.create("photos", b"k", Upload(id=upload_id, initiated=NOW))
    parts = []
    for number in (1, 2):
        incoming = objects.receive()
        incoming.push(b"%s part %d, " % (upload_id.encode(), number))
        part = uploads.put_part("photos", b"k", upload_id, incoming, PutPart(now=NOW, number=number))
        parts.append(WantedPart(number, part.etag))
    return uploads.complete("photos", b"k", upload_id, Complete(now=NOW, parts=tuple(parts))).version_id


def test_older_versions_of_several_parts_keep_no_others_from_being_joined(driver: Any):
    objects = store(driver, versioning="Enabled")
    ids = [complete(objects, name) for name in ("u1", "u2")]
    upkeep = Upkeep(Uploads(objects, min_part_size=0))
    left = [] if IBlobCloning.providedBy(driver.blobs) else [("photos", b"k")]
    upkeep.join(1)
    assert driver.catalog.spanned(10) == left
    remove(objects, ids[1])
    upkeep.join(1)
    assert driver.catalog.spanned(10) == left
    assert read(objects, ids[0]) == b"u1 part 1, u1 part 2, "

"""Any sequence of deeds leaves a driver and a plain dictionary with the same memory."""

import tempfile
from pathlib import Path

import pytest
from attrs import define, evolve, field
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from gecko_tw.store.refusals import BucketAlreadyExists, BucketNotEmpty
from tests.contract import acts
from tests.contract.drivers import Candidate

NAMES = ("photos", "music")
FEW_KEYS = (b"a", b"a/", b"a/b", b"A", b"..", b"//", b"n" * 300, b"\xff", b"a/b/c", b"\0")


@define
class Upload:
    id: str
    parts: dict[int, bytes] = field(factory=dict)


@define
class Key:
    """What one key holds: versions newest first (None for a delete marker), uploads oldest first."""

    versions: list[tuple[str, bytes | None, str]] = field(factory=list)
    uploads: list[Upload] = field(factory=list)


@define
class Model:
    buckets: dict[str, dict[bytes, Key]] = field(factory=dict)

    def key(self, bucket: str, key: bytes) -> Key:
        return self.buckets[bucket].setdefault(key, Key())

    def sorted(self, bucket: str) -> list[tuple[bytes, Key]]:
        return sorted(self.buckets[bucket].items())


class DriverBesideModel(RuleBasedStateMachine):
    """Every deed is done to both."""

    candidate: Candidate

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.driver = self.candidate.make(Path(self.folder.name))
        self.model = Model()
        self.count = 0

    def teardown(self) -> None:
        self.driver.close()
        self.folder.cleanup()

    def fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def some_bucket(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.model.buckets)), "bucket")

    def some_upload(self, data: st.DataObject) -> tuple[str, bytes, Upload] | None:
        found = [
            (name, key, upload)
            for name in sorted(self.model.buckets)
            for key, held in self.model.sorted(name)
            for upload in held.uploads
        ]
        return data.draw(st.sampled_from(found), "upload") if found else None

    @rule(name=st.sampled_from(NAMES))
    def add_bucket(self, name: str) -> None:
        if name in self.model.buckets:
            with pytest.raises(BucketAlreadyExists):
                acts.a_bucket(self.driver, name)
        else:
            acts.a_bucket(self.driver, name)
            self.model.buckets[name] = {}

    @precondition(lambda self: self.model.buckets)
    @rule(data=st.data())
    def remove_bucket(self, data: st.DataObject) -> None:
        name = self.some_bucket(data)
        if any(key.versions for key in self.model.buckets[name].values()):
            with pytest.raises(BucketNotEmpty):
                self.driver.catalog.remove_bucket(name)
        else:
            self.driver.catalog.remove_bucket(name)
            del self.model.buckets[name]

    @precondition(lambda self: self.model.buckets)
    @rule(data=st.data(), key=st.sampled_from(FEW_KEYS), body=acts.BODIES, versioned=st.booleans())
    def put(self, data: st.DataObject, key: bytes, body: bytes, versioned: bool) -> None:
        name = self.some_bucket(data)
        version_id = self.fresh("v") if versioned else "null"
        before = acts.look(self.driver, name, key, version_id)
        placed = acts.put(self.driver, name, key, body, version_id=version_id, tags={"n": str(self.count)})
        replaced = {s.blob for v in before.versions if v.version_id == version_id for s in getattr(v, "spans", ())}
        self.driver.blobs.remove(replaced - {span.blob for span in placed.spans})
        held = self.model.key(name, key)
        others = [version for version in held.versions if version[0] != version_id]
        held.versions = [(version_id, body, str(self.count)), *others]

    @precondition(lambda self: self.model.buckets)
    @rule(data=st.data(), key=st.sampled_from(FEW_KEYS))
    def mark_deleted(self, data: st.DataObject, key: bytes) -> None:
        name, version_id = self.some_bucket(data), self.fresh("m")
        acts.mark_deleted(self.driver, name, key, version_id)
        self.model.key(name, key).versions.insert(0, (version_id, None, ""))

    @precondition(lambda self: self.model.buckets)
    @rule(data=st.data())
    def forget_a_version(self, data: st.DataObject) -> None:
        name = self.some_bucket(data)
        found = [(key, version[0]) for key, held in self.model.sorted(name) for version in held.versions]
        if found:
            key, version_id = data.draw(st.sampled_from(found), "version")
            acts.forget(self.driver, name, key, version_id)
            held = self.model.key(name, key)
            held.versions = [version for version in held.versions if version[0] != version_id]

    @precondition(lambda self: self.model.buckets)
    @rule(data=st.data())
    def tag_the_newest(self, data: st.DataObject) -> None:
        name, tag = self.some_bucket(data), self.fresh("t")
        found = [key for key, held in self.model.sorted(name) if held.versions and held.versions[0][1] is not None]
        if found:
            key = data.draw(st.sampled_from(found), "key")
            acts.change(
                self.driver, name, key, lambda history: acts.on_top(history, evolve(history.newest, tags={"n": tag}))
            )
            held = self.model.key(name, key)
            held.versions[0] = (*held.versions[0][:2], tag)

    @precondition(lambda self: self.model.buckets)
    @rule(data=st.data(), key=st.sampled_from(FEW_KEYS))
    def begin_an_upload(self, data: st.DataObject, key: bytes) -> None:
        name, upload_id = self.some_bucket(data), self.fresh("u")
        acts.begin(self.driver, name, key, upload_id, initiated=acts.NOW + self.count)
        self.model.key(name, key).uploads.append(Upload(upload_id))

    @rule(data=st.data(), number=st.integers(1, 3), body=acts.BODIES)
    def send_a_part(self, data: st.DataObject, number: int, body: bytes) -> None:
        if found := self.some_upload(data):
            name, key, upload = found
            replaced = acts.send_part(self.driver, name, key, upload.id, number, body)
            assert (replaced is not None) == (number in upload.parts)
            if replaced is not None:
                self.driver.blobs.remove([span.blob for span in replaced.spans])
            upload.parts[number] = body

    @rule(data=st.data())
    def abort_an_upload(self, data: st.DataObject) -> None:
        if found := self.some_upload(data):
            name, key, upload = found
            acts.give_up(self.driver, name, key, upload.id)
            self.model.key(name, key).uploads.remove(upload)

    @rule(data=st.data())
    def complete_an_upload(self, data: st.DataObject) -> None:
        found = self.some_upload(data)
        if not found or not found[2].parts:
            return
        name, key, upload = found
        parts = self.driver.catalog.parts(name, key, upload.id, 0, 100)
        body = b"".join(upload.parts[number] for number in sorted(upload.parts))
        version = acts.described(body, spans=tuple(s for part in parts for s in part.spans), upload=upload.id)
        applied = acts.change(
            self.driver,
            name,
            key,
            lambda history: evolve(
                acts.on_top(history, version), uploads=tuple(u for u in history.uploads if u.id != upload.id)
            ),
            None,
            upload.id,
        )
        acts.drop_unheld(self.driver, applied)
        held = self.model.key(name, key)
        held.uploads.remove(upload)
        held.versions = [("null", body, ""), *(version for version in held.versions if version[0] != "null")]

    @rule()
    def sweep(self) -> None:
        acts.sweep(self.driver)

    @rule()
    def start_again(self) -> None:
        if self.candidate.lasting:
            self.driver.close()
            self.driver = self.candidate.make(Path(self.folder.name))

    @precondition(lambda self: self.model.buckets)
    @rule(data=st.data(), size=st.integers(1, 4), prefix=st.sampled_from([b"", b"a", b"a/", b"n", b"z"]))
    def list_in_pages(self, data: st.DataObject, size: int, prefix: bytes) -> None:
        name = self.some_bucket(data)
        held = [(key, entry) for key, entry in self.model.sorted(name) if key.startswith(prefix)]
        assert acts.every_page(self.driver, name, "objects", prefix, size) == [
            (key, entry.versions[0][0]) for key, entry in held if entry.versions and entry.versions[0][1] is not None
        ]
        assert acts.every_page(self.driver, name, "versions", prefix, size) == [
            (key, version[0]) for key, entry in held for version in entry.versions
        ]
        assert acts.every_page(self.driver, name, "uploads", prefix, size) == [
            (key, upload.id) for key, entry in held for upload in entry.uploads
        ]

    @invariant()
    def the_same_buckets(self) -> None:
        assert [record.name for record in self.driver.catalog.buckets("", "", 100)] == sorted(self.model.buckets)

    @invariant()
    def the_same_histories(self) -> None:
        for name in self.model.buckets:
            for key, held in self.model.sorted(name):
                self.same_newest(name, key, held)
                for upload in held.uploads:
                    assert acts.upload_of(self.driver, name, key, upload.id) is not None
                    parts = self.driver.catalog.parts(name, key, upload.id, 0, 100)
                    kept = {part.number: acts.content(self.driver, part) for part in parts}
                    assert kept == upload.parts

    def same_newest(self, name: str, key: bytes, held: Key) -> None:
        for version_id, body, tag in held.versions:
            found = {v.version_id: v for v in acts.look(self.driver, name, key, version_id).versions}[version_id]
            if body is not None:
                assert acts.content(self.driver, found) == body
                assert found.tags.get("n", "") == tag
        newest = acts.look(self.driver, name, key).newest
        assert (newest is None) == (not held.versions or held.versions[0][1] is None)


def test_a_driver_and_a_dictionary_remember_the_same(candidate):
    machine = type("Machine", (DriverBesideModel,), {"candidate": candidate})
    run_state_machine_as_test(machine, settings=settings(max_examples=20, stateful_step_count=40, deadline=None))

"""What multipart uploads mean, over the reference driver."""

import base64
import hashlib
from functools import partial

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from gecko_tw.store.checksums import Digests
from gecko_tw.store.interfaces import IUploads
from gecko_tw.store.records import Checksum, PartSize, Upload
from gecko_tw.store.refusals import (
    BadDigest,
    EntityTooSmall,
    IncompleteBody,
    InvalidArgument,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    KeyTooLongError,
    NoSuchBucket,
    NoSuchKey,
    NoSuchUpload,
    PreconditionFailed,
)
from gecko_tw.store.requests import Claim, Complete, ListRequest, PutPart, Source, WantedPart, WriteConditions
from tests.store.shop import BUCKET, NOW, md5, open_shop

BODIES = [b"first part", b"second part", b"end"]


def composite_etag(bodies):
    joined = b"".join(hashlib.md5(body, usedforsecurity=False).digest() for body in bodies)
    return f"{md5(joined)}-{len(bodies)}"


def sent(shop, bodies=BODIES, **asked):
    shop.begin(b"key", **asked)
    return [shop.send(b"key", number, body) for number, body in enumerate(bodies, 1)]


def digest(algorithm, data):
    digests = Digests([algorithm])
    digests.update(data)
    return digests


def test_uploads_keep_their_interface(shop):
    assert verifyObject(IUploads, shop.uploads)


@given(bodies=st.lists(st.binary(max_size=60), min_size=1, max_size=6), data=st.data())
def test_parts_sent_in_any_order_become_one_object(bodies, data):
    shop = open_shop(min_part_size=0)
    numbers = sorted(data.draw(st.sets(st.integers(1, 10_000), min_size=len(bodies), max_size=len(bodies))))
    shop.begin(b"key")
    places = data.draw(st.permutations(range(len(bodies))))
    parts = {numbers[place]: shop.send(b"key", numbers[place], bodies[place]) for place in places}
    version = shop.complete(b"key", [parts[number] for number in numbers])
    assert version.etag == composite_etag(bodies)
    assert version.size == len(b"".join(bodies))
    assert [(part.number, part.size) for part in version.parts] == [
        (number, len(body)) for number, body in zip(numbers, bodies, strict=True)
    ]
    assert shop.get(b"key") == b"".join(bodies)
    assert shop.objects.look(BUCKET, b"key") == version
    assert shop.orphans() == set()


def test_what_was_said_at_the_beginning_is_kept(shop):
    said = {
        "headers": {"content-type": "image/jpeg"},
        "metadata": {"colour": "tabby"},
        "tags": {"pet": "yes"},
        "owner": "me",
        "extra": {"acl": ["private"]},
    }
    version = shop.complete(b"key", sent(shop, **said), now=NOW + 5)
    assert {name: getattr(version, name) for name in said} == said
    assert (version.modified, version.upload) == (NOW + 5, "u1")


def test_nothing_is_seen_before_the_upload_is_completed(shop):
    shop.put(b"key", b"old")
    parts = sent(shop)
    assert shop.get(b"key") == b"old"
    shop.complete(b"key", parts)
    assert shop.get(b"key") == b"".join(BODIES)
    assert shop.orphans() == set()
    with pytest.raises(NoSuchUpload):
        shop.uploads.get(BUCKET, b"key", "u1")


def test_completing_copies_no_bytes(shop):
    parts = sent(shop)
    version = shop.complete(b"key", parts)
    assert version.spans == tuple(part.spans[0] for part in parts)


def test_completing_can_be_repeated(shop):
    parts = sent(shop)
    version = shop.complete(b"key", parts)
    assert shop.complete(b"key", parts, now=NOW + 99) == version
    with pytest.raises(NoSuchUpload):
        shop.complete(b"key", parts[:2])
    shop.put(b"key", b"something else")
    with pytest.raises(NoSuchUpload):
        shop.complete(b"key", parts)
    assert shop.get(b"key") == b"something else"


@pytest.mark.parametrize("etag", [md5(b"other bytes"), "no digest", ""])
def test_a_repetition_that_names_other_parts_is_none(shop, etag):
    parts = sent(shop)
    shop.complete(b"key", parts)
    with pytest.raises(NoSuchUpload):
        shop.complete(b"key", [evolve(parts[0], etag=etag), *parts[1:]])


def test_completing_can_be_repeated_after_the_parts_are_joined(shop):
    parts = sent(shop)
    version = shop.complete(b"key", parts)
    assert shop.upkeep.join() == 1
    again = shop.complete(b"key", parts)
    assert (again.etag, again.parts) == (version.etag, version.parts)


def test_parts_that_are_not_listed_are_dropped(shop):
    parts = sent(shop, [b"first part", b"unwanted", b"end"])
    shop.complete(b"key", [parts[0], parts[2]])
    assert shop.get(b"key") == b"first partend"
    assert shop.orphans() == set()


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        ([(2, 1), (1, 0)], InvalidPartOrder),
        ([(1, 0), (1, 0)], InvalidPartOrder),
        ([(1, 1), (2, 1)], InvalidPart),
        ([(1, 0), (4, 0)], InvalidPart),
        ([(1, 0), (3, 2), (2, 1)], InvalidPartOrder),
    ],
)
def test_a_wrong_list_of_parts_is_refused_and_the_upload_goes_on(shop, wanted, refusal):
    parts = sent(shop)
    entries = tuple(WantedPart(number, parts[place].etag) for number, place in wanted)
    with pytest.raises(refusal):
        shop.uploads.complete(BUCKET, b"key", "u1", Complete(now=NOW, parts=entries))
    assert shop.listed() == []
    shop.complete(b"key", parts)
    assert shop.get(b"key") == b"".join(BODIES)


def test_every_part_but_the_last_has_a_smallest_size(shop):
    parts = sent(shop, [b"12345", b"1234", b"1"])
    with pytest.raises(EntityTooSmall) as refused:
        shop.complete(b"key", parts)
    assert refused.value.details["PartNumber"] == "2"
    assert refused.value.details["MinSizeAllowed"] == "5"
    shop.send(b"key", 2, b"54321")
    shop.complete(b"key", shop.uploads.parts(BUCKET, b"key", "u1", 0, 10))
    assert shop.get(b"key") == b"12345543211"


def test_a_part_sent_again_replaces_the_first_and_its_bytes(shop):
    shop.begin(b"key")
    shop.send(b"key", 1, b"wrong")
    shop.send(b"key", 1, b"right")
    (part,) = shop.uploads.parts(BUCKET, b"key", "u1", 0, 10)
    assert part.etag == md5(b"right")
    assert shop.orphans() == set()
    with pytest.raises(InvalidPart):
        shop.uploads.complete(BUCKET, b"key", "u1", Complete(now=NOW, parts=(WantedPart(1, md5(b"wrong")),)))


def test_a_part_that_comes_while_the_upload_is_completed_is_in_it_or_refuses_it(shop):
    """The list names the first body of part 2; another replaces it between reading the parts and deciding."""
    parts = sent(shop)
    real = shop.driver.catalog.change_history

    def interrupted(*arguments):
        shop.driver.catalog.change_history = real
        shop.send(b"key", 2, b"another second part")
        return real(*arguments)

    shop.driver.catalog.change_history = interrupted
    with pytest.raises(InvalidPart):
        shop.complete(b"key", parts)
    shop.complete(b"key", shop.uploads.parts(BUCKET, b"key", "u1", 0, 10))
    assert shop.get(b"key") == b"first partanother second partend"
    assert shop.orphans() == set()


def test_of_two_completions_at_once_both_are_answered_with_one_version(shop):
    parts = sent(shop)
    real = shop.driver.catalog.change_history
    first = []

    def overtaken(*arguments):
        shop.driver.catalog.change_history = real
        first.append(shop.complete(b"key", parts))
        return real(*arguments)

    shop.driver.catalog.change_history = overtaken
    assert shop.complete(b"key", parts, now=NOW + 1) == first[0]
    assert shop.get(b"key") == b"".join(BODIES)


def test_aborting_forgets_the_upload_and_its_bytes(shop):
    shop.put(b"key", b"object")
    sent(shop)
    shop.uploads.abort(BUCKET, b"key", "u1")
    for verb in (
        partial(shop.uploads.abort, BUCKET, b"key", "u1"),
        partial(shop.uploads.get, BUCKET, b"key", "u1"),
        partial(shop.uploads.parts, BUCKET, b"key", "u1", 0, 10),
        partial(shop.send, b"key", 1, b"late"),
        partial(shop.complete, b"key", []),
    ):
        with pytest.raises(NoSuchUpload):
            verb()
    assert shop.get(b"key") == b"object"
    assert shop.orphans() == set()


def test_an_upload_needs_a_bucket_and_a_key(shop):
    with pytest.raises(NoSuchBucket):
        shop.uploads.create("nowhere", b"key", Upload(id="u1", initiated=NOW))
    with pytest.raises(KeyTooLongError):
        shop.uploads.create(BUCKET, b"x" * 1025, Upload(id="u1", initiated=NOW))
    assert shop.objects.page(BUCKET, ListRequest(), "uploads").entries == ()


@pytest.mark.parametrize("number", [-1, 0, 10_001])
def test_part_numbers_go_from_1_to_10000(shop, number):
    shop.begin(b"key")
    with pytest.raises(InvalidArgument):
        shop.send(b"key", number, b"data")
    assert shop.blobs() == set()


def test_a_refused_part_keeps_the_one_before(shop):
    shop.begin(b"key")
    shop.send(b"key", 1, b"right")
    with pytest.raises(IncompleteBody):
        shop.send(b"key", 1, b"wrong", length=100)
    with pytest.raises(BadDigest):
        shop.send(b"key", 1, b"wrong", claims=(Claim("MD5", bytes(16)),))
    (part,) = shop.uploads.parts(BUCKET, b"key", "u1", 0, 10)
    assert part.etag == md5(b"right")
    assert shop.orphans() == set()


@pytest.mark.parametrize(
    ("conditions", "refusal"),
    [
        (WriteConditions(if_none_match="*"), PreconditionFailed),
        (WriteConditions(if_match="other"), PreconditionFailed),
        (WriteConditions(if_match=md5(b"old")), None),
    ],
)
def test_conditions_are_decided_when_the_upload_is_completed(shop, conditions, refusal):
    parts = sent(shop)
    shop.put(b"key", b"old")
    if refusal is None:
        shop.complete(b"key", parts, conditions=conditions)
        assert shop.get(b"key") == b"".join(BODIES)
        return
    with pytest.raises(refusal):
        shop.complete(b"key", parts, conditions=conditions)
    assert shop.get(b"key") == b"old"
    assert [part.number for part in shop.uploads.parts(BUCKET, b"key", "u1", 0, 10)] == [1, 2, 3]


def test_a_condition_on_a_missing_object_refuses_completion(shop):
    parts = sent(shop)
    with pytest.raises(NoSuchKey):
        shop.complete(b"key", parts, conditions=WriteConditions(if_match="*"))


def test_the_size_that_the_client_names_is_compared(shop):
    parts = sent(shop)
    with pytest.raises(InvalidRequest):
        shop.complete(b"key", parts, size=1)
    assert shop.complete(b"key", parts, size=24).size == 24


# ---- checksums ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_a_full_checksum_of_the_object_is_that_of_all_its_bytes(shop, algorithm):
    parts = sent(shop, checksum_algorithm=algorithm, checksum_kind="FULL_OBJECT")
    whole = digest(algorithm, b"".join(BODIES)).value(algorithm)
    wrong = Checksum(algorithm, digest(algorithm, b"other").value(algorithm))
    with pytest.raises(BadDigest):
        shop.complete(b"key", parts, checksum=wrong)
    version = shop.complete(b"key", parts, checksum=Checksum(algorithm, whole))
    assert version.checksum == Checksum(algorithm, whole, "FULL_OBJECT")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256"])
def test_a_composite_checksum_is_that_of_the_checksums_of_the_parts(shop, algorithm):
    parts = sent(shop, checksum_algorithm=algorithm, checksum_kind="COMPOSITE")
    raws = b"".join(digest(algorithm, body).raw(algorithm) for body in BODIES)
    version = shop.complete(b"key", parts)
    value = digest(algorithm, raws).value(algorithm) + "-3"
    assert version.checksum == Checksum(algorithm, value, "COMPOSITE")
    values = [base64.b64encode(digest(algorithm, body).raw(algorithm)).decode() for body in BODIES]
    assert version.parts == tuple(
        PartSize(number, len(body), value)
        for number, (body, value) in enumerate(zip(BODIES, values, strict=True), start=1)
    )


def test_an_object_without_a_checksum_algorithm_gets_the_full_one_of_the_store(shop):
    version = shop.complete(b"key", sent(shop))
    assert version.checksum == Checksum("CRC64NVME", digest("CRC64NVME", b"".join(BODIES)).value("CRC64NVME"))


def test_a_part_with_another_checksum_than_its_upload_is_refused(shop):
    shop.begin(b"key", checksum_algorithm="CRC32C", checksum_kind="COMPOSITE")
    with pytest.raises(InvalidRequest):
        shop.send(b"key", 1, b"data", checksum="SHA256")
    assert shop.blobs() == set()


def test_a_listed_checksum_of_a_part_is_compared(shop):
    (part,) = sent(shop, [b"data"], checksum_algorithm="SHA256", checksum_kind="COMPOSITE")
    wrong = WantedPart(1, part.etag, Checksum("SHA256", digest("SHA256", b"other").value("SHA256")))
    right = WantedPart(1, part.etag, part.checksum)
    for _ in range(2):  # of the upload, and of the object that it has become
        with pytest.raises(InvalidPart):
            shop.uploads.complete(BUCKET, b"key", "u1", Complete(now=NOW, parts=(wrong,)))
        assert shop.uploads.complete(BUCKET, b"key", "u1", Complete(now=NOW, parts=(right,))).size == 4


CRC32, SHA256 = (Checksum(name, digest(name, b"data").value(name)) for name in ("CRC32", "SHA256"))
OTHER = Checksum("CRC32", digest("CRC32", b"other").value("CRC32"))


@pytest.mark.parametrize(
    ("algorithm", "kind", "listed", "refusal"),
    [
        (None, None, CRC32, InvalidPart),
        (None, None, OTHER, InvalidPart),
        (None, None, None, None),
        ("CRC32", "COMPOSITE", CRC32, None),
        ("CRC32", "COMPOSITE", OTHER, InvalidPart),
        ("CRC32", "COMPOSITE", SHA256, BadDigest),
        ("CRC32", "COMPOSITE", None, InvalidRequest),
        ("CRC32", "FULL_OBJECT", CRC32, None),
        ("CRC32", "FULL_OBJECT", OTHER, InvalidPart),
        ("CRC32", "FULL_OBJECT", SHA256, BadDigest),
        ("CRC32", "FULL_OBJECT", None, None),
    ],
)
def test_what_is_listed_of_a_part_is_never_ignored(shop, algorithm, kind, listed, refusal):
    (part,) = sent(shop, [b"data"], checksum_algorithm=algorithm, checksum_kind=kind)
    request = Complete(now=NOW, parts=(WantedPart(1, part.etag, listed),))
    if refusal is None:
        assert shop.uploads.complete(BUCKET, b"key", "u1", request).size == 4
        return
    with pytest.raises(refusal) as refused:
        shop.uploads.complete(BUCKET, b"key", "u1", request)
    if refusal is InvalidRequest:
        assert refused.value.message.endswith(
            "created using a crc32 checksum. The complete request must include the checksum for each part."
            " It was missing for part 1 in the request."
        )
    if refusal is BadDigest:
        assert refused.value.message == "The sha256 you specified for part 1 did not match what we received."
    assert shop.complete(b"key", [part] if algorithm else [evolve(part, checksum=None)]).size == 4


def test_a_part_of_a_composite_checksum_brings_its_own(shop):
    shop.begin(b"key", checksum_algorithm="CRC32C", checksum_kind="COMPOSITE")
    with pytest.raises(InvalidRequest, match="expected checksum Type: crc32c, actual checksum Type: null"):
        shop.send(b"key", 1, b"data", checksum=None)
    assert shop.blobs() == set()


# ---- copied parts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "expected"), [(None, None, b"0123456789"), (2, 5, b"2345"), (9, 9, b"9"), (0, 0, b"0")]
)
def test_a_part_can_be_copied_from_a_range_of_an_object(shop, first, last, expected):
    shop.put(b"source", b"0123456789")
    shop.begin(b"key")
    source = Source(bucket=BUCKET, key=b"source", first=first, last=last)
    part = shop.uploads.copy_part(source, BUCKET, b"key", "u1", 1, NOW)
    assert (part.size, part.etag) == (len(expected), md5(expected))
    shop.complete(b"key", [part])
    assert shop.get(b"key") == expected
    assert shop.orphans() == set()


def test_a_part_can_be_copied_across_the_parts_of_an_object_that_is_not_joined(shop):
    shop.multipart(b"source", BODIES)
    shop.begin(b"key")
    source = Source(bucket=BUCKET, key=b"source", first=5, last=22)
    part = shop.uploads.copy_part(source, BUCKET, b"key", "u1", 1, NOW)
    assert part.etag == md5(b"".join(BODIES)[5:23])


def test_a_part_copied_into_no_upload_leaves_nothing(shop):
    shop.put(b"source", b"0123456789")
    before = shop.blobs()
    with pytest.raises(NoSuchUpload):
        shop.uploads.copy_part(Source(bucket=BUCKET, key=b"source"), BUCKET, b"key", "u1", 1, NOW)
    shop.begin(b"key")
    with pytest.raises(NoSuchKey):
        shop.uploads.copy_part(Source(bucket=BUCKET, key=b"missing"), BUCKET, b"key", "u1", 1, NOW)
    assert shop.blobs() == before


# ---- without hashing, and lists ----------------------------------------------------------------------------------------------


def test_without_hashing_an_upload_works_all_the_same():
    shop = open_shop(hashing=False)
    version = shop.multipart(b"key", BODIES)
    assert version.checksum is None
    assert version.etag.endswith("-3")
    assert version.etag != composite_etag(BODIES)
    assert shop.get(b"key") == b"".join(BODIES)


def test_without_hashing_parts_are_told_apart_from_what_has_an_md5():
    shop = open_shop(hashing=False)
    assert [part.etag[32:] for part in sent(shop)] == ["-1"] * 3
    assert shop.put(b"other", b"data").etag[32:] == "-1"


def test_without_hashing_an_upload_whose_parts_claimed_their_md5_has_the_etag_that_its_client_knows():
    shop = open_shop(hashing=False)
    shop.begin(b"key")
    parts = []
    for number, body in enumerate(BODIES, 1):
        claim = Claim("MD5", hashlib.md5(body, usedforsecurity=False).digest())
        parts.append(shop.send(b"key", number, body, claims=(claim,)))
    assert shop.complete(b"key", parts).etag == composite_etag(BODIES)


def test_uploads_are_listed_by_key_and_then_by_age(shop):
    for key, upload_id, initiated in [(b"b", "u9", 1), (b"b", "u1", 2), (b"a", "u5", 3)]:
        shop.begin(key, upload_id, initiated=initiated)
    page = shop.objects.page(BUCKET, ListRequest(limit=2), "uploads")
    assert [entry.id for entry in page.entries] == ["u5", "u9"]
    assert (page.truncated, page.next_key, page.next_id) == (True, b"b", "u9")
    rest = shop.objects.page(BUCKET, ListRequest(after=page.next_key, after_id=page.next_id), "uploads")
    assert [entry.id for entry in rest.entries] == ["u1"]
    assert not rest.truncated


def test_a_part_of_an_upload_that_is_completed_meanwhile_is_refused_and_leaves_nothing(shop):
    parts = sent(shop)
    real = shop.driver.catalog.add_part

    def too_late(*arguments):
        shop.driver.catalog.add_part = real
        shop.complete(b"key", parts)
        return real(*arguments)

    shop.driver.catalog.add_part = too_late
    incoming = shop.objects.receive(())
    incoming.push(b"late")
    with pytest.raises(NoSuchUpload):
        shop.uploads.put_part(BUCKET, b"key", "u1", incoming, PutPart(now=NOW, number=4))
    assert shop.get(b"key") == b"".join(BODIES)
    assert shop.orphans() == set()

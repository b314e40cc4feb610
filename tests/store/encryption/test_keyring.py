"""The key ring: keys that rotate without making anything unreadable, and that are never kept in the clear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from gecko_tw.store.encryption.interfaces import IKeyManagement
from gecko_tw.store.encryption.keyring import KIND, KMS_ROOM, S3_ROOM, rings_of
from gecko_tw.store.encryption.wrapping import CannotUnwrap, unwrap, wrap
from gecko_tw.store.refusals import KeyNotFound
from tests.store.encryption.rings import DictDocuments, MarkedSealing, ring

KEY = bytes(range(32))


def test_the_ring_is_a_key_management() -> None:
    assert verifyObject(IKeyManagement, ring())


def test_a_data_key_opens_again_in_another_process() -> None:
    documents = DictDocuments()
    first, second = ring(documents), ring(documents)
    first.add("mine")
    data_key, sealed = first.new_data_key("mine", "context")
    assert second.open_data_key("mine", sealed, "context") == data_key
    assert data_key.hex() not in repr(documents.all(KIND))


def test_a_rotated_key_wraps_anew_and_opens_what_was_wrapped_before() -> None:
    documents = DictDocuments()
    mine, others = ring(documents), ring(documents)
    mine.add("mine")
    before = mine.new_data_key("mine", "")
    others.rotate("mine")
    after = mine.new_data_key("mine", "")
    assert before[1].split(":")[0] != after[1].split(":")[0]
    for data_key, sealed in (before, after):
        assert ring(documents).open_data_key("mine", sealed, "") == data_key


def test_adding_a_key_that_is_there_changes_nothing() -> None:
    documents = DictDocuments()
    mine = ring(documents)
    mine.add("mine")
    value = documents.get(KIND, f"{KMS_ROOM}/mine")
    mine.add("mine")
    assert documents.get(KIND, f"{KMS_ROOM}/mine") == value
    assert mine.names() == ["mine"]
    assert ring(documents, S3_ROOM).names() == []


def test_only_the_keys_that_every_deployment_has_make_themselves() -> None:
    assert ring(room=S3_ROOM).new_data_key("default", "")
    assert ring().new_data_key("aws/s3", "")
    for act in (lambda: ring().new_data_key("other", ""), lambda: ring().rotate("other")):
        with pytest.raises(KeyNotFound):
            act()


@pytest.mark.parametrize("change", ["context", "key", "text", "generation"])
def test_a_data_key_opens_only_with_its_own_key_and_context(change: str) -> None:
    mine = ring()
    mine.add("mine")
    mine.add("other")
    data_key, sealed = mine.new_data_key("mine", "context")
    generation, _, wrapped = sealed.partition(":")
    name, text, context = "mine", sealed, "context"
    if change == "context":
        context = "another"
    elif change == "key":
        name = "other"
    elif change == "text":
        text = f"{generation}:{wrapped[:-8]}AAAAAAA="
    else:
        text = f"0:{wrapped}"
    with pytest.raises(KeyNotFound):
        mine.open_data_key(name, text, context)


@given(st.binary(min_size=1, max_size=64), st.text(max_size=20))
def test_what_is_wrapped_opens_as_it_was_and_never_looks_the_same(secret: bytes, context: str) -> None:
    wrapped = wrap(KEY, secret, context)
    assert unwrap(KEY, wrapped, context) == secret
    assert wrap(KEY, secret, context) != wrapped
    for outer, text, bound in ((bytes(32), wrapped, context), (KEY, wrapped, context + "x"), (KEY, "?", context)):
        with pytest.raises(CannotUnwrap):
            unwrap(outer, text, bound)


def test_an_operator_sees_names_and_generations_and_adds_and_rotates() -> None:
    rings = rings_of(DictDocuments(), MarkedSealing())
    assert rings.values() == []
    assert rings.add("mine") == "mine is added"
    assert rings.add("mine") == "mine is there already"
    assert "mine" in rings.rotate("mine")
    for _ in range(2):
        assert "SSE-S3" in rings.rotate(None)
    assert [(one["name"], one["generations"]) for one in rings.values()] == [(None, 2), ("mine", 2)]
    with pytest.raises(KeyNotFound):
        rings.rotate("other")

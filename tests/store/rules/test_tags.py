"""What tags may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.refusals import InvalidTag, TooManyTags
from gecko_tw.store.rules.tags import OF_BUCKET, OF_OBJECT, check_tags

TEXT = st.text(st.characters(categories=["L", "N", "Z"], include_characters="+-=._:/@"), max_size=128)
KEYS = TEXT.filter(lambda key: key != "" and not key.lower().startswith("aws:"))


@given(st.dictionaries(KEYS, TEXT, max_size=OF_OBJECT))
def test_tags_within_the_limits_are_kept_in_their_order(tags: dict[str, str]) -> None:
    assert list(check_tags(list(tags.items()), OF_OBJECT).items()) == list(tags.items())


@given(st.dictionaries(KEYS, TEXT, min_size=1, max_size=OF_OBJECT), st.sampled_from("&<>\"'#%*!?\n\x00🦎"))
def test_a_sign_that_no_tag_can_have_is_refused_wherever_it_stands(tags: dict[str, str], sign: str) -> None:
    key, value = next(iter(tags.items()))
    for pair in ((key[:127] + sign, value), (key, value + sign)):
        with pytest.raises(InvalidTag):
            check_tags([pair], OF_OBJECT)


@pytest.mark.parametrize(
    ("pairs", "limit", "message"),
    [
        ([("", "v")], OF_BUCKET, "The TagKey you have provided is invalid"),
        ([("k" * 129, "v")], OF_OBJECT, "The TagKey you have provided is invalid"),
        ([("k", "v" * 257)], OF_OBJECT, "The TagValue you have provided is invalid"),
        ([("AWS:k", "v")], OF_OBJECT, "Your TagKey cannot be prefixed with aws:"),
        ([("k", "1"), ("k", "1")], OF_OBJECT, "Cannot provide multiple Tags with the same key"),
    ],
)
def test_tags_beyond_the_limits_are_refused(pairs: list[tuple[str, str]], limit: int, message: str) -> None:
    with pytest.raises(InvalidTag) as refused:
        check_tags(pairs, limit)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("limit", "message"),
    [(OF_OBJECT, "Object tags cannot be greater than 10"), (OF_BUCKET, "Bucket tag count cannot be greater than 50")],
)
def test_more_tags_than_there_may_be_are_a_bad_request(limit: int, message: str) -> None:
    with pytest.raises(TooManyTags, match=message) as refused:
        check_tags([(str(n), "") for n in range(limit + 1)], limit)
    assert refused.value.code == "BadRequest"

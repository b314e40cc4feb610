"""Variables in the texts of a configuration file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.settings.interpolation import BadReference, interpolate

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.sampled_from("a$ {}:-é\n"), max_size=12) | st.text(max_size=12)


def doubled(text):
    return text.replace("$", "$$")


@given(TEXTS)
def test_a_text_with_its_dollars_doubled_stays_that_text(text):
    assert interpolate(doubled(text), {}) == text


@given(st.lists(st.tuples(TEXTS, NAMES, TEXTS), max_size=4), TEXTS)
def test_every_reference_becomes_its_variable_and_everything_else_stays(pieces, end):
    environment = {name: value for _text, name, value in pieces}
    written = "".join(f"{doubled(text)}${{{name}}}" for text, name, _value in pieces) + doubled(end)
    wanted = "".join(text + environment[name] for text, name, _value in pieces) + end
    assert interpolate(written, environment) == wanted


@given(NAMES, st.text(st.characters(exclude_characters="}"), max_size=8), st.none() | TEXTS)
def test_a_default_counts_while_the_variable_is_unset_and_not_when_it_is_empty(name, default, value):
    environment = {} if value is None else {name: value}
    assert interpolate(f"<${{{name}:-{default}}}>", environment) == f"<{default if value is None else value}>"


@given(TEXTS)
def test_no_text_does_more_than_be_refused(text):
    try:
        interpolate(text, {})
    except BadReference:
        return


def test_an_unset_variable_is_named():
    with pytest.raises(BadReference, match=r"the environment variable NOPE is not set"):
        interpolate("a${NOPE}b", {"nope": "x"})


@pytest.mark.parametrize("text", ["${", "${A", "${}", "${a b}", "${1}", "${A-x}", "${é}"])
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(BadReference, match=r"write `\$\$` for a dollar"):
        interpolate(text, {"A": "x"})


@pytest.mark.parametrize("text", ["${aws:username}", "${s3:prefix, 'none'}", "${*}", "${?}", "${$}", "$5", "a$"])
def test_policy_variables_and_single_dollars_stay(text):
    assert interpolate(text, {"aws": "x"}) == text

"""Wildcards against a model that tries everything."""

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.access.policies.templates import patterns_of, read_template
from gecko_tw.callers.access.policies.wildcards import can_begin, matcher
from tests.callers.access.policies.policing import request

PATTERNS = st.text("ab*?/", max_size=12)
TEXTS = st.text("ab/*", max_size=12)


def model(pattern: str, text: str) -> bool:
    """Whether a text fits, by definition."""

    @cache
    def fits(p: int, t: int) -> bool:
        if p == len(pattern):
            return t == len(text)
        if pattern[p] == "*":
            return fits(p + 1, t) or (t < len(text) and fits(p, t + 1))
        return t < len(text) and pattern[p] in ("?", text[t]) and fits(p + 1, t + 1)

    return fits(0, 0)


def compiled(pattern: str):
    return matcher(read_template(pattern, "", variables=False).tokens)


@given(PATTERNS, TEXTS)
def test_a_pattern_fits_what_the_model_says(pattern, text):
    assert compiled(pattern)(text) is model(pattern, text)


@given(st.lists(PATTERNS, max_size=4), TEXTS)
def test_several_patterns_fit_what_one_of_them_fits(patterns, text):
    together = patterns_of(read_template(pattern, "", variables=False) for pattern in patterns)
    assert together.match(text, request()) is any(model(pattern, text) for pattern in patterns)


@given(PATTERNS, TEXTS)
def test_without_regard_to_case_a_pattern_fits_in_any_case(pattern, text):
    folding = patterns_of([read_template(pattern.upper(), "", variables=False)], fold=True)
    assert folding.match(text.title(), request()) is model(pattern, text)


@given(PATTERNS, st.text("ab/", max_size=5), st.text("ab/", max_size=8))
def test_what_a_pattern_fits_it_can_begin_with(pattern, start, rest):
    tokens = read_template(pattern, "", variables=False).tokens
    if model(pattern, start + rest):
        assert can_begin(tokens, start)
    if can_begin(tokens, start):
        assert any(model(pattern, start + more) for more in _continuations(pattern))


def _continuations(pattern: str) -> list[str]:
    """What is left to come of a pattern after some of it: one of its ends, with any character for ``?`` and nothing for ``*``."""
    ends = [pattern[at:].replace("*", "").replace("?", "a") for at in range(len(pattern) + 1)]
    return sorted(set(ends))


@given(
    st.text("ab?", min_size=1, max_size=3),
    st.integers(20, 70),
    st.text("ab?", max_size=3),
    st.text("ab", min_size=1, max_size=3),
    st.integers(20, 90),
    st.text("abc\u00e9", max_size=3),
)
def test_long_parts_with_wildcards_are_found_where_they_stand(part, times, end, repeated, count, rest):
    pattern, text = f"*{part * times}{end}*", repeated * count + rest
    assert compiled(pattern)(text) is model(pattern, text)


def test_patterns_made_to_be_slow_are_decided_all_the_same():
    text = "a" * 1024
    for pattern in ("*a" * 500 + "b", "*" + "?a" * 256 + "b*", "*a?" * 300 + "*b", "?" * 1025, "*" * 5000 + "b"):
        assert not compiled(pattern)(text)

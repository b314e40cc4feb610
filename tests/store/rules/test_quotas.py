"""What a quota allows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.records import Usage
from gecko_tw.store.refusals import QuotaExceeded
from gecko_tw.store.rules.quotas import check

USAGES = st.builds(Usage, st.integers(0, 100), st.integers(0, 10))


@given(USAGES, USAGES, st.integers(0, 100), st.integers(0, 10))
def test_only_what_grows_beyond_a_limit_is_refused(before: Usage, after: Usage, most_bytes: int, most: int) -> None:
    refused = (after.bytes > max(most_bytes, before.bytes)) or (after.objects > max(most, before.objects))
    try:
        check({"bytes": most_bytes, "objects": most}, before, after)
    except QuotaExceeded:
        assert refused
    else:
        assert not refused


@given(USAGES, USAGES)
def test_what_is_not_limited_is_not_refused(before: Usage, after: Usage) -> None:
    check({}, before, after)


def test_a_refusal_tells_what_is_missing() -> None:
    with pytest.raises(QuotaExceeded) as refused:
        check({"bytes": 10}, Usage(8, 1), Usage(11, 2))
    assert refused.value.details == {"Quota": "10", "Used": "8", "Needed": "3"}

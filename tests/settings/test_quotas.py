"""Quotas as people write them."""

from typing import Any

import pytest

from gecko_tw.settings.quotas import read_quota


@pytest.mark.parametrize(
    ("written", "quota"),
    [
        (None, {}),
        ({}, {}),
        ({"bytes": None, "objects": None}, {}),
        ({"bytes": "10 GiB"}, {"bytes": 10 * 1024**3}),
        ({"bytes": 0, "objects": "5"}, {"bytes": 0, "objects": 5}),
    ],
)
def test_a_quota_is_read_as_it_was_meant(written: Any, quota: dict[str, int]) -> None:
    assert read_quota(written) == quota


@pytest.mark.parametrize(
    "written", ["10 GiB", 5, [], {"size": 1}, {"bytes": "many"}, {"bytes": -1}, {"objects": 1.5}, {"objects": True}]
)
def test_what_is_no_quota_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match="quota has|allowed is"):
        read_quota(written)

"""The command that changes limits: what it keeps, and what it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.commands.limits import clear_limits, set_limit, shown
from gecko_tw.resources.gates.rate_limits import KIND, OVERRIDE
from gecko_tw.settings import Settings
from tests.store.encryption.rings import DictDocuments

SETTINGS = Settings(rate_limit_key=10.0)
RATES = st.decimals(0, 999_999, places=2).map(str)


def test_without_an_override_the_settings_are_shown():
    assert shown(DictDocuments(), SETTINGS) == "address: no limit\nkey: 10 a second, 20 at once"


def test_what_is_overridden_is_shown_beside_what_it_replaces():
    documents = DictDocuments()
    assert set_limit(documents, "key", "0", "0") == "key: no limit"
    assert set_limit(documents, "address", "0.5", "7") == "address: 0.5 a second, 7 at once"
    assert shown(documents, SETTINGS).splitlines() == [
        "address: 0.5 a second, 7 at once (the settings say: no limit)",
        "key: no limit (the settings say: 10 a second, 20 at once)",
    ]


def test_one_override_is_cleared_and_the_other_stays():
    documents = DictDocuments()
    for name in ("address", "key"):
        set_limit(documents, name, "1", "1")
    clear_limits(documents, "key")
    assert documents.get(KIND, OVERRIDE) == {"address": [1.0, 1.0]}
    clear_limits(documents, None)
    assert documents.all(KIND) == []


@given(rate=RATES, burst=RATES)
def test_whatever_is_allowed_is_kept_as_it_was_written(rate: str, burst: str):
    documents = DictDocuments()
    set_limit(documents, "address", rate, burst)
    assert documents.get(KIND, OVERRIDE) == {"address": [float(rate), float(burst)]}


@pytest.mark.parametrize(("rate", "burst"), [("-1", "0"), ("1", "many"), ("nan", "0"), ("1e9", "0"), ("", "0")])
def test_what_is_no_number_changes_nothing(rate, burst):
    documents = DictDocuments()
    with pytest.raises(ValueError, match="allowed is a number from 0"):
        set_limit(documents, "key", rate, burst)
    assert documents.all(KIND) == []

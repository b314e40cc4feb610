"""What the store remembers."""

import pytest
from attrs import fields

from gecko_tw.store.records import KeyHistory, Version


@pytest.mark.parametrize("kind", [Version, KeyHistory])
def test_what_gets_other_spans_or_versions_keeps_every_other_field(kind):
    given = {one.name: object() for one in fields(kind)}
    made = kind(**given)
    name, changed = ("spans", made.lying) if kind is Version else ("versions", made.having)
    after = changed(("other",))
    assert {one.name: getattr(after, one.name) for one in fields(kind)} == {**given, name: ("other",)}

"""Names of buckets, by S3's rules."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.refusals import InvalidBucketName
from gecko_tw.store.rules.names import check_bucket_name

SHAPE = re.compile(r"(?!\d+\.\d+\.\d+\.\d+\Z)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")


@given(
    st.one_of(st.text("ab.-1A_", max_size=8), st.text(max_size=8), st.text("1.", max_size=9), st.text("a", max_size=70))
)
def test_a_name_is_allowed_exactly_when_it_has_the_shape_that_S3_describes(name):
    assert is_bucket_name(name) == bool(SHAPE.match(name))


@pytest.mark.parametrize(
    "name", ["xn--abc", "sthree-abc", "amzn-s3-demo-abc", "abc-s3alias", "abc--ol-s3", "abc.mrap", "abc--x-s3"]
)
def test_reserved_names_cannot_be_new_but_are_names(name):
    assert is_bucket_name(name)
    with pytest.raises(InvalidBucketName):
        check_bucket_name(name)

"""Scopes of keys: nothing outside of one is ever allowed, and what is inside of one is."""

import ipaddress
from fnmatch import fnmatchcase

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gecko_tw.callers.access.policies import MalformedPolicy, decide
from gecko_tw.callers.access.policies.context import EVERY_BUCKET, RequestContext
from gecko_tw.callers.accounts.scopes import ALIASES, KeyScope, boundary_of, scope_of
from gecko_tw.store.refusals import InvalidArgument
from tests.callers.access.policies.policing import ANN, NOW, arn

OF_OBJECTS = ("GetObject", "PutObject", "DeleteObject", "GetObjectVersion", "PutObjectAcl", "AbortMultipartUpload")
LISTINGS = ("ListBucket", "ListBucketVersions", "ListBucketMultipartUploads")
OF_BUCKETS = (*LISTINGS, "DeleteBucket", "PutBucketPolicy", "GetBucketLocation", "GetBucketVersioning")
NAMES = ("s3:*", "s3:Get*", "s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:PutBucketPolicy", *ALIASES)
BUCKETS = ("photos", "photos-2", "films", "p*")
PIECES = st.sampled_from(("a", "b", "/", "*", "?", "$", "${aws:username}", "ann", "ü"))
KEYS = st.lists(PIECES, min_size=1, max_size=4).map("".join)
NETWORKS = ("10.0.0.0/8", "192.0.2.7", "2001:db8::/32")
ADDRESSES = ("10.1.2.3", "192.0.2.7", "192.0.2.8", "2001:db8::1", None)


def some(values, most=3):
    return st.lists(values, max_size=most, unique=True).map(tuple)


SCOPES = st.builds(
    KeyScope,
    actions=some(st.sampled_from(NAMES)),
    buckets=some(st.sampled_from(BUCKETS)),
    prefixes=some(KEYS),
    networks=some(st.sampled_from(NETWORKS)),
)


def allows(scope, action, bucket="photos", key=None, address="10.1.2.3", **asked):
    values = {"aws:SourceIp": address, **{f"s3:{name}": value for name, value in asked.items()}}
    path = bucket if key is None else f"{bucket}/{key}"
    resource = arn(path) if bucket else EVERY_BUCKET
    context = RequestContext(principal=ANN, action=f"s3:{action}", resource=resource, now=NOW, values=values)
    return decide(context, (boundary_of(scope),)).allowed


def named(scope, action):
    """Whether a scope has an action."""
    patterns = [name for given in scope.actions or ("*",) for name in ALIASES.get(given, (given,))]
    return any(fnmatchcase(f"s3:{action}", pattern) for pattern in patterns)


def comes_from(scope, address):
    if not scope.networks:
        return True
    return address is not None and any(
        ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in scope.networks
    )


def begins(scope, text):
    return not scope.prefixes or any(text.startswith(prefix) for prefix in scope.prefixes)


@given(SCOPES, st.sampled_from(OF_OBJECTS), st.sampled_from(BUCKETS), KEYS, st.sampled_from(ADDRESSES))
def test_a_request_for_an_object_is_allowed_exactly_when_it_is_inside(scope, action, bucket, key, address):
    assume(not scope.prefixes or scope.buckets)
    inside = (
        named(scope, action)
        and (not scope.buckets or bucket in scope.buckets)
        and begins(scope, key)
        and comes_from(scope, address)
    )
    assert allows(scope, action, bucket, key, address) == inside


@given(SCOPES, st.sampled_from(LISTINGS), st.sampled_from(BUCKETS), st.none() | KEYS, st.sampled_from(ADDRESSES))
def test_a_listing_is_allowed_exactly_when_all_that_it_shows_is_inside(scope, action, bucket, prefix, address):
    assume(not scope.prefixes or scope.buckets)
    inside = (
        named(scope, action)
        and (not scope.buckets or bucket in scope.buckets)
        and begins(scope, prefix or "")
        and comes_from(scope, address)
    )
    asked = {} if prefix is None else {"prefix": prefix}
    assert allows(scope, action, bucket, None, address, **asked) == inside


@given(SCOPES, st.sampled_from(OF_BUCKETS), st.sampled_from(BUCKETS))
def test_nothing_of_a_bucket_outside_and_no_change_of_a_whole_bucket_is_allowed_to_a_prefix(scope, action, bucket):
    assume(not scope.prefixes or scope.buckets)
    if allows(scope, action, bucket):
        assert named(scope, action)
        assert not scope.buckets or bucket in scope.buckets
        assert not scope.prefixes or action in ("GetBucketLocation", "GetBucketVersioning")


@given(SCOPES)
def test_buckets_are_listed_only_without_named_buckets(scope):
    assume(not scope.prefixes or scope.buckets)
    if allows(scope, "ListAllMyBuckets", bucket=""):
        assert not scope.buckets


@pytest.mark.parametrize(
    ("alias", "action", "key"),
    [
        ("object:get", "GetObject", "a"),
        ("object:put", "PutObject", "a"),
        ("object:delete", "DeleteObject", "a"),
        ("object:list", "ListBucket", None),
        ("bucket:read-meta", "GetBucketLocation", None),
        ("bucket:write-meta", "CreateBucket", None),
        ("multipart:upload-part", "PutObject", "a"),
        ("multipart:abort", "AbortMultipartUpload", "a"),
        ("*", "PutBucketPolicy", None),
    ],
)
def test_short_names_stand_for_actions(alias, action, key):
    assert allows(KeyScope(actions=(alias,)), action, key=key)


def test_short_names_allow_no_more_than_they_say():
    assert not allows(KeyScope(actions=("object:get",)), "PutObject", key="a")
    assert not allows(KeyScope(actions=("bucket:read-meta",)), "ListBucket")
    assert allows(KeyScope(actions=("bucket:list",)), "ListAllMyBuckets", bucket="")
    assert not allows(KeyScope(actions=("bucket:list",), buckets=("photos",)), "ListAllMyBuckets", bucket="")


@pytest.mark.parametrize(
    ("scope", "refusal"),
    [
        (KeyScope(prefixes=("a/",)), InvalidArgument),
        (KeyScope(actions=("object:fly",)), MalformedPolicy),
        (KeyScope(networks=("10.0.0.0/99",)), MalformedPolicy),
    ],
)
def test_a_scope_that_means_nothing_is_refused(scope, refusal):
    with pytest.raises(refusal):
        boundary_of(scope)


def test_a_scope_has_a_json_form():
    assert scope_of({"actions": ["object:get"], "buckets": ["b"], "prefixes": [], "networks": []}) == KeyScope(
        actions=("object:get",), buckets=("b",)
    )
    assert scope_of(None) is scope_of({"actions": []}) is None

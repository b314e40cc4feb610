"""Access control lists, without anything around them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.access import acl
from gecko_tw.callers.access.acl import (
    ALL_USERS,
    AUTHENTICATED_USERS,
    FULL_CONTROL,
    GROUP,
    ID,
    LOG_DELIVERY,
    READ,
    READ_ACP,
    WRITE,
    WRITE_ACP,
    Grant,
    Parties,
)
from gecko_tw.callers.access.policies import ANONYMOUS, Principal
from gecko_tw.callers.access.policies.principals import PrincipalMatch
from gecko_tw.callers.refusals import UnresolvableGrantByEmailAddress
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest

OWNER = Grant(ID, "alt", FULL_CONTROL)
KNOWN = {"main", "alt", "tenant"}


def parties(owner: str = "alt", bucket_owner: str | None = "main") -> Parties:
    return Parties(owner, bucket_owner, KNOWN.__contains__, {"tenant@example.com": "tenant"}.get)


MAIN, ALT = Principal(account="main"), Principal(account="alt")
ANN = Principal(account="main", user_name="ann")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("private", [OWNER]),
        ("public-read", [Grant(GROUP, ALL_USERS, READ), OWNER]),
        ("public-read-write", [Grant(GROUP, ALL_USERS, READ), Grant(GROUP, ALL_USERS, WRITE), OWNER]),
        ("authenticated-read", [Grant(GROUP, AUTHENTICATED_USERS, READ), OWNER]),
        ("bucket-owner-read", [OWNER, Grant(ID, "main", READ)]),
        ("bucket-owner-full-control", [OWNER, Grant(ID, "main", FULL_CONTROL)]),
    ],
)
def test_a_canned_list_stands_for_grants(name: str, expected: list[Grant]) -> None:
    assert list(acl.canned(name, parties())) == expected


def test_what_the_owner_of_the_bucket_gets_of_an_own_object_is_nothing_more() -> None:
    for name in ("bucket-owner-read", "bucket-owner-full-control"):
        assert acl.canned(name, parties("main")) == acl.private("main")
        assert acl.canned(name, parties("main", None)) == acl.private("main")


def test_logs_are_delivered_to_buckets_only() -> None:
    found = acl.canned("log-delivery-write", parties("main", None))
    assert found[:2] == (Grant(GROUP, LOG_DELIVERY, WRITE), Grant(GROUP, LOG_DELIVERY, READ_ACP))
    with pytest.raises(InvalidArgument):
        acl.canned("log-delivery-write", parties())


@pytest.mark.parametrize("name", ["", "public", "PRIVATE", "x"])
def test_an_unknown_canned_list_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument):
        acl.canned(name, parties())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({b"x-amz-acl": b"private"}, [OWNER]),
        ({b"x-amz-grant-read": b'id="main"'}, [Grant(ID, "main", READ)]),
        ({b"x-amz-grant-read": b"id=main, id=tenant"}, [Grant(ID, "main", READ), Grant(ID, "tenant", READ)]),
        ({b"x-amz-grant-read": b"id=main,id=main"}, [Grant(ID, "main", READ)]),
        ({b"x-amz-grant-write-acp": b'emailAddress="tenant@example.com"'}, [Grant(ID, "tenant", WRITE_ACP)]),
        ({b"x-amz-grant-write": f'uri="{ALL_USERS}"'.encode()}, [Grant(GROUP, ALL_USERS, WRITE)]),
        (
            {b"x-amz-grant-full-control": b"id=alt", b"x-amz-grant-read-acp": b"id=main"},
            [Grant(ID, "main", READ_ACP), OWNER],
        ),
    ],
)
def test_headers_stand_for_grants(headers: dict[bytes, bytes], expected: list[Grant] | None) -> None:
    found = acl.asked(headers, parties())
    assert (None if found is None else list(found)) == expected


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({b"x-amz-acl": b"private", b"x-amz-grant-read": b"id=main"}, InvalidRequest),
        ({b"x-amz-grant-read": b"id=nobody"}, InvalidArgument),
        ({b"x-amz-grant-read": b"uri=http://nowhere.test/"}, InvalidArgument),
        ({b"x-amz-grant-read": b"emailAddress=nobody@example.com"}, UnresolvableGrantByEmailAddress),
        ({b"x-amz-grant-read": b"name=main"}, InvalidArgument),
        ({b"x-amz-grant-read": b"main"}, InvalidArgument),
        ({b"x-amz-grant-read": b""}, InvalidArgument),
        ({b"x-amz-grant-read": b'id=""'}, InvalidArgument),
    ],
)
def test_headers_that_name_nobody_are_refused(headers: dict[bytes, bytes], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        acl.asked(headers, parties())


def test_a_list_has_a_hundred_grants_at_most() -> None:
    with pytest.raises(InvalidArgument):
        acl.checked(Grant(ID, str(number), READ) for number in range(101))


NONE, ACCOUNT, DIRECT = PrincipalMatch.NONE, PrincipalMatch.ACCOUNT, PrincipalMatch.DIRECT
EVERYBODY = [[GROUP, ALL_USERS, READ]]
KNOWN_ONES = [[GROUP, AUTHENTICATED_USERS, READ]]


@pytest.mark.parametrize(
    ("value", "who", "permission", "expected"),
    [
        (None, MAIN, READ, DIRECT),
        (None, ANN, READ, ACCOUNT),
        (None, ALT, READ, NONE),
        (None, ANONYMOUS, READ, NONE),
        ([], MAIN, READ, NONE),
        ([], MAIN, READ_ACP, DIRECT),
        ([], MAIN, WRITE_ACP, DIRECT),
        ([], ANN, WRITE_ACP, ACCOUNT),
        ([], ALT, WRITE_ACP, NONE),
        (EVERYBODY, ANONYMOUS, READ, DIRECT),
        (EVERYBODY, ANN, READ, DIRECT),
        (EVERYBODY, ANONYMOUS, WRITE, NONE),
        (KNOWN_ONES, ANONYMOUS, READ, NONE),
        (KNOWN_ONES, ALT, READ, DIRECT),
        ([[GROUP, LOG_DELIVERY, WRITE]], ALT, WRITE, NONE),
        ([[ID, "alt", FULL_CONTROL]], ALT, WRITE_ACP, DIRECT),
        ([[ID, "alt", WRITE]], ALT, READ, NONE),
        ([[ID, "main", READ]], ANN, READ, ACCOUNT),
        ([[ID, "main", READ], *EVERYBODY], ANN, READ, DIRECT),
        ([[ID, "", READ]], ANONYMOUS, READ, NONE),
    ],
)
def test_a_list_grants_what_it_says(value: object, who: Principal, permission: str, expected: PrincipalMatch) -> None:
    assert acl.match(value, "main", who, permission) is expected


def test_public_grants_may_count_for_nothing() -> None:
    assert acl.match(EVERYBODY, "main", ALT, READ, ignore_public=True) is NONE
    assert acl.match([[ID, "alt", READ]], "main", ALT, READ, ignore_public=True) is DIRECT


def test_a_list_is_public_when_everybody_or_everybody_known_is_on_it() -> None:
    assert acl.is_public(acl.grants_of(EVERYBODY, "main"))
    assert acl.is_public(acl.grants_of(KNOWN_ONES, "main"))
    assert not acl.is_public(acl.grants_of([[GROUP, LOG_DELIVERY, WRITE], [ID, "alt", READ]], "main"))
    assert not acl.is_public(acl.grants_of(None, "main"))


GRANTS = st.builds(
    Grant,
    st.sampled_from([ID, GROUP]),
    st.sampled_from(["main", "alt", ALL_USERS]),
    st.sampled_from(sorted(acl.PERMISSIONS)),
)


@given(st.lists(GRANTS, unique=True))
def test_a_list_that_was_kept_is_the_same(grants: list[Grant]) -> None:
    assert list(acl.grants_of(acl.kept(grants, "main"), "main")) == grants


def test_the_private_list_takes_no_room() -> None:
    assert acl.kept(acl.private("main"), "main") is None


@given(st.lists(GRANTS), GRANTS, st.sampled_from([MAIN, ANN, ALT, ANONYMOUS]), st.sampled_from(sorted(acl.PERMISSIONS)))
def test_a_grant_more_never_takes_anything_away(
    grants: list[Grant], more: Grant, who: Principal, permission: str
) -> None:
    value = [[grant.kind, grant.to, grant.permission] for grant in grants]
    wider = [*value, [more.kind, more.to, more.permission]]
    assert acl.match(wider, "main", who, permission) >= acl.match(value, "main", who, permission)

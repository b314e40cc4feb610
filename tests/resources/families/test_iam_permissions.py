"""Who may call which action of IAM: every action, asked by everybody. Who is refused changes nothing and learns nothing."""

import json
from typing import Any

import pytest
from attrs import evolve
from botocore.credentials import Credentials

from gecko_tw.callers.accounts.identities import Account
from gecko_tw.callers.accounts.registered import GROUP, KEY, POLICY, PROVIDER, ROLE, USER
from gecko_tw.callers.accounts.scopes import KeyScope
from gecko_tw.callers.iam import policies
from gecko_tw.resources.dispatch.families import built_in
from gecko_tw.resources.dispatch.operations import ACTION, IAM, POST
from tests.resources.asking import FakeRequest
from tests.resources.iam_recipes import NOTHING_TO_FIND, RECIPES, fill
from tests.resources.session_town import ANN, MAIN, ROOT, Town, credentials_of, policy, refused

NAMES = sorted(row.name for row in built_in().rows[POST, ACTION] if row.selectors and row.service == IAM)
DENIED = (403, "AccessDenied")


@pytest.fixture
def town() -> Town:
    town = Town()
    fill(town)
    return town


def kept(town: Town) -> str:
    """All identities, without what is sealed another time."""
    documents = town.registry.documents
    return json.dumps(
        {kind: documents.all(kind) for kind in (USER, GROUP, ROLE, POLICY, PROVIDER, KEY)}, sort_keys=True
    )


def ask(town: Town, name: str, who: Credentials | None) -> FakeRequest:
    return town.iam(name, who, **RECIPES[name])


def is_answered(name: str, reply: FakeRequest) -> bool:
    if name in NOTHING_TO_FIND:
        return refused(reply, IAM) == (404, "NoSuchEntity")
    return reply.status == 200


def allow(town: Town, **document: Any) -> None:
    """What ann's only policy says."""
    text = json.dumps({"Version": "2012-10-17", "Statement": [document]})
    town.registry.put_user(evolve(town.registry.user("main", "ann"), policies={"own": text}))


def test_every_action_is_in_the_matrix() -> None:
    assert sorted(RECIPES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_account_may_and_a_user_with_that_permission_alone(town: Town, name: str) -> None:
    allow(town, Effect="Allow", Action=f"iam:{name}", Resource="*")
    assert is_answered(name, ask(town, name, ANN)), ask(town, name, ANN).body
    again = Town()
    fill(again)
    assert is_answered(name, ask(again, name, MAIN))


@pytest.mark.parametrize("name", NAMES)
def test_a_user_without_that_permission_may_not(town: Town, name: str) -> None:
    before = kept(town)
    assert refused(ask(town, name, ANN), IAM) == DENIED
    others: tuple[dict[str, Any], ...] = (
        {"Effect": "Allow", "NotAction": f"iam:{name}", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:*", "Resource": "arn:aws:iam::other:*"},
        {"Effect": "Allow", "Action": "iam:*", "Resource": "arn:aws:s3:::*"},
        {
            "Effect": "Allow",
            "Action": "iam:*",
            "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": "9.9.9.9"}},
        },
    )
    for document in others:
        allow(town, **document)
        before = kept(town)
        assert refused(ask(town, name, ANN), IAM) == DENIED
        assert kept(town) == before


@pytest.mark.parametrize("name", NAMES)
def test_nobody_reaches_another_account(town: Town, name: str) -> None:
    town.registry.put_account(Account(id="other"))
    town.add_key("otherkey", "", "other")
    before = town.registry.all(USER), town.registry.all(ROLE), town.registry.all(POLICY), town.registry.all(GROUP)
    for who in (Credentials("otherkey", "secret"), ROOT):
        reply = ask(town, name, who)
        assert reply.status in (200, 404) and b"bob" not in reply.body.replace(b"with name bob ", b"")
    changed = town.registry.all(USER), town.registry.all(ROLE), town.registry.all(POLICY), town.registry.all(GROUP)
    assert [[one for one in kind if one.account == "main"] for kind in changed] == [list(kind) for kind in before]


@pytest.mark.parametrize("name", NAMES)
def test_who_has_proven_nothing_a_scoped_key_and_a_keys_session_may_not(town: Town, name: str) -> None:
    session = town.begin(MAIN)
    limited = town.begin(MAIN, policy("*"))
    town.add_key("scoped", "", scope=KeyScope(actions=("*",)))
    before = kept(town)
    assert refused(ask(town, name, None), IAM) == (403, "MissingAuthenticationToken")
    assert refused(ask(town, name, Credentials("mainkey", "wrong")), IAM) == (403, "SignatureDoesNotMatch")
    for who in (session, limited, Credentials("scoped", "secret")):
        assert refused(ask(town, name, who), IAM) == DENIED
    assert kept(town) == before


@pytest.mark.parametrize("name", NAMES)
def test_who_has_assumed_a_role_may_what_the_role_may(town: Town, name: str) -> None:
    def begin(**more: str) -> Credentials:
        arn = "arn:aws:iam::main:role/worker"
        return credentials_of(town.act("AssumeRole", MAIN, RoleArn=arn, RoleSessionName="work", **more))

    session, limited = begin(), begin(Policy=policy("s3:*"))
    assert refused(ask(town, name, session), IAM) == DENIED
    policies.put_policy(town.registry, ROLE, "main", "worker", "all", policy("iam:*"))
    assert refused(ask(town, name, limited), IAM) == DENIED
    assert is_answered(name, ask(town, name, session))


def test_a_permission_may_be_for_a_path_a_name_or_tags(town: Town) -> None:
    for statement, allowed in (
        ({"Resource": "arn:aws:iam::main:user/bob"}, True),
        ({"Resource": "arn:aws:iam::main:user/b*"}, True),
        ({"Resource": "arn:aws:iam::main:user/team/*"}, False),
        ({"Resource": "arn:aws:iam::main:user/${aws:username}"}, False),
        ({"Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/z": "z"}}}, True),
        ({"Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/z": "y"}}}, False),
    ):
        allow(town, Effect="Allow", Action="iam:GetUser", **statement)
        assert (town.iam("GetUser", ANN, UserName="bob").status == 200) == allowed, statement
    allow(town, Effect="Allow", Action="iam:*", Resource="arn:aws:iam::main:user/${aws:username}")
    assert town.iam("GetUser", ANN).status == 200


def test_a_new_path_and_tags_need_permissions_of_their_own(town: Town) -> None:
    allow(town, Effect="Allow", Action=["iam:CreateUser", "iam:UpdateUser"], Resource="arn:aws:iam::main:user/team/*")
    assert town.iam("CreateUser", ANN, UserName="new", Path="/team/").status == 200
    assert refused(town.iam("CreateUser", ANN, UserName="other"), IAM) == DENIED
    assert refused(town.iam("UpdateUser", ANN, UserName="new", NewPath="/"), IAM) == DENIED
    tagged = {"Tags__member__1__Key": "a", "Tags__member__1__Value": "b"}
    assert refused(town.iam("CreateUser", ANN, UserName="more", Path="/team/", **tagged), IAM) == DENIED

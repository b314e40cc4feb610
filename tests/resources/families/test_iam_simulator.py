"""What would be decided, told by the actions of IAM that simulate policies."""

from typing import Any

import pytest

from gecko_tw.callers.accounts.registered import GROUP, USER
from gecko_tw.callers.iam import people, policies
from gecko_tw.resources.dispatch.operations import IAM
from tests.resources.asking import FakeRequest
from tests.resources.session_town import MAIN, Town, document, policy, refused

NAMESPACE = "{https://iam.amazonaws.com/doc/2010-05-08/}"
ANN = "arn:aws:iam::main:user/ann"
CAT = "arn:aws:s3:::photos/cat"


def told(reply: FakeRequest) -> list[tuple[str, str, str]]:
    """Action, resource and decision of each result."""
    assert reply.status == 200, reply.body
    found = document(reply).iterfind(f".//{NAMESPACE}EvaluationResults/{NAMESPACE}member")
    names = ("EvalActionName", "EvalResourceName", "EvalDecision")
    return [tuple(one.findtext(NAMESPACE + name) for name in names) for one in found]  # type: ignore[misc]


def custom(*texts: str, town: Town | None = None, **more: str) -> FakeRequest:
    given = {f"PolicyInputList__member__{number}": text for number, text in enumerate(texts, 1)}
    asked = {"ActionNames__member__1": "s3:GetObject", "ResourceArns__member__1": CAT}
    return (town or Town()).iam("SimulateCustomPolicy", MAIN, **{**given, **asked, **more})


@pytest.mark.parametrize(
    ("texts", "decision"),
    [
        ([policy("s3:Get*")], "allowed"),
        ([policy("s3:Put*")], "implicitDeny"),
        ([policy("s3:*"), policy("s3:GetObject", effect="Deny")], "explicitDeny"),
        ([policy("s3:*", "arn:aws:s3:::photos/*")], "allowed"),
        ([policy("s3:*", "arn:aws:s3:::films/*")], "implicitDeny"),
    ],
)
def test_policies_that_nobody_has_yet_are_decided(texts: list[str], decision: str) -> None:
    assert told(custom(*texts)) == [("s3:GetObject", CAT, decision)]


def test_every_action_is_decided_for_every_resource_a_page_at_a_time() -> None:
    more = {"ActionNames__member__2": "s3:putobject", "ResourceArns__member__2": "*", "MaxItems": "3"}
    first = custom(policy("s3:GetObject", CAT), **more)
    assert told(first) == [
        ("s3:GetObject", CAT, "allowed"),
        ("s3:GetObject", "*", "implicitDeny"),
        ("s3:PutObject", CAT, "implicitDeny"),
    ]
    marker = document(first).findtext(f".//{NAMESPACE}Marker")
    assert told(custom(policy("s3:GetObject", CAT), **more, Marker=str(marker))) == [
        ("s3:PutObject", "*", "implicitDeny")
    ]


def test_conditions_are_held_against_what_is_given_and_what_is_missing_is_told() -> None:
    text = policy("s3:*").replace(
        '"Resource": "*"', '"Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}'
    )
    without = custom(text)
    assert told(without)[0][2] == "implicitDeny"
    missing = document(without).find(f".//{NAMESPACE}MissingContextValues")
    assert missing is not None and [one.text for one in missing] == ["aws:SourceIp"]
    for address, decision in (("10.1.2.3", "allowed"), ("192.0.2.1", "implicitDeny")):
        entry = {
            "ContextEntries__member__1__ContextKeyName": "aws:sourceip",
            "ContextEntries__member__1__ContextKeyType": "ip",
            "ContextEntries__member__1__ContextKeyValues__member__1": address,
        }
        assert told(custom(text, **entry))[0][2] == decision


def test_a_boundary_must_allow_it_too() -> None:
    for boundary, decision in (("s3:Get*", "allowed"), ("s3:Put*", "implicitDeny")):
        reply = custom(policy("s3:*"), PermissionsBoundaryPolicyInputList__member__1=policy(boundary))
        assert told(reply)[0][2] == decision
        assert f"<AllowedByPermissionsBoundary>{str(decision == 'allowed').lower()}<" in reply.body.decode()


def test_a_principal_has_the_policies_of_its_groups_and_those_that_are_given() -> None:
    town = Town()
    asked = {"PolicySourceArn": ANN, "ActionNames__member__1": "s3:PutObject", "ResourceArns__member__1": CAT}
    assert told(town.iam("SimulatePrincipalPolicy", MAIN, **asked))[0][2] == "allowed"
    people.create_group(town.registry, "main", "readers", "/")
    people.add_to_group(town.registry, "main", "readers", "ann")
    policies.put_policy(town.registry, GROUP, "main", "readers", "no", policy("s3:Put*", effect="Deny"))
    assert told(town.iam("SimulatePrincipalPolicy", MAIN, **asked))[0][2] == "explicitDeny"
    of_group = {**asked, "PolicySourceArn": "arn:aws:iam::main:group/readers"}
    assert told(town.iam("SimulatePrincipalPolicy", MAIN, **of_group))[0][2] == "explicitDeny"
    policies.delete_policy(town.registry, GROUP, "main", "readers", "no")
    more = {"PolicyInputList__member__1": policy("s3:PutObject", CAT, "Deny")}
    assert told(town.iam("SimulatePrincipalPolicy", MAIN, **asked, **more))[0][2] == "explicitDeny"


def test_variables_are_of_the_user_who_is_supposed_to_ask() -> None:
    town = Town()
    text = policy("s3:GetObject", "arn:aws:s3:::photos/${aws:username}/*")
    policies.put_policy(town.registry, USER, "main", "ann", "all", text)
    for key, decision in (("ann/cat", "allowed"), ("bob/cat", "implicitDeny")):
        resource = {"ActionNames__member__1": "s3:GetObject", "ResourceArns__member__1": f"arn:aws:s3:::photos/{key}"}
        assert told(town.iam("SimulatePrincipalPolicy", MAIN, PolicySourceArn=ANN, **resource))[0][2] == decision
        assert told(custom(text, town=town, CallerArn=ANN, **resource))[0][2] == decision


@pytest.mark.parametrize(
    "more",
    [
        {"ActionNames__member__1": "s3:NoSuchThing"},
        {"ActionNames__member__1": "nonsense"},
        {"PolicyInputList__member__1": "{"},
        {"Marker": "x"},
        {"MaxItems": "0"},
        {"CallerArn": "arn:aws:iam::main:group/readers"},
        {"ResourcePolicy": policy("s3:*")},
        {"ResourceHandlingOption": "EC2-VPC-InstanceStore"},
        {"ContextEntries__member__1__ContextKeyName": "no:such"},
        {"ContextEntries__member__1__ContextKeyName": "aws:username"},
        {"ContextEntries__member__2__ContextKeyName": "aws:SourceIp"},
    ],
)
def test_what_cannot_be_simulated_is_refused(more: dict[str, Any]) -> None:
    reply = custom(policy("s3:*"), **more)
    assert reply.status in (400, 404) and refused(reply, IAM)[1] in ("ValidationError", "NoSuchEntity")


@pytest.mark.parametrize(
    "arn", ["arn:aws:iam::main:user/nobody", "arn:aws:iam::other:user/ann", "ann", "arn:aws:iam::main:root"]
)
def test_who_is_not_there_is_not_simulated(arn: str) -> None:
    reply = Town().iam("SimulatePrincipalPolicy", MAIN, PolicySourceArn=arn, ActionNames__member__1="s3:GetObject")
    assert refused(reply, IAM) == (404, "NoSuchEntity")

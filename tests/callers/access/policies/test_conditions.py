"""What each condition operator says of a request: a table."""

from typing import Any

import pytest

from gecko_tw.callers.access.policies import ANONYMOUS, decide
from tests.callers.access.policies.policing import ANN, LOGGER, MAIN, bucket_policy, request, statement

YES, NO = True, False
PREFIX, IP, REFERER, AGENT = "s3:prefix", "aws:SourceIp", "aws:Referer", "aws:UserAgent"
KEYS, SIZE, UNTIL = "aws:TagKeys", "s3:max-keys", "s3:object-lock-retain-until-date"

STRINGS = [
    ("StringEquals", PREFIX, "a", "a", YES),
    ("StringEquals", PREFIX, "a", "A", NO),
    ("StringEquals", PREFIX, ["a", "b"], "b", YES),
    ("StringEquals", PREFIX, "a*", "ab", NO),
    ("StringEquals", PREFIX, "a*", "a*", YES),
    ("StringEquals", PREFIX, "", "", YES),
    ("StringEquals", PREFIX, "a", None, NO),
    ("StringEquals", PREFIX, 5, "5", YES),
    ("StringEquals", PREFIX, True, "true", YES),
    ("StringNotEquals", PREFIX, "a", "a", NO),
    ("StringNotEquals", PREFIX, "a", "b", YES),
    ("StringNotEquals", PREFIX, ["a", "b"], "b", NO),
    ("StringNotEquals", PREFIX, "a", None, YES),
    ("StringEqualsIgnoreCase", PREFIX, "Home/", "hOME/", YES),
    ("StringEqualsIgnoreCase", PREFIX, "Home/", "hOME", NO),
    ("StringEqualsIgnoreCase", PREFIX, "a", None, NO),
    ("StringNotEqualsIgnoreCase", PREFIX, "Home/", "hOME/", NO),
    ("StringNotEqualsIgnoreCase", PREFIX, "Home/", "else", YES),
    ("StringNotEqualsIgnoreCase", PREFIX, "a", None, YES),
    ("StringLike", PREFIX, "home/*", "home/ann", YES),
    ("StringLike", PREFIX, "home/*", "home/", YES),
    ("StringLike", PREFIX, "home/*", "Home/", NO),
    ("StringLike", PREFIX, "h?me", "home", YES),
    ("StringLike", PREFIX, "h?me", "hme", NO),
    ("StringLike", PREFIX, "*.jpg", "a.jpg", YES),
    ("StringLike", PREFIX, "a*b?c*d", "a-b-b+c-d", YES),
    ("StringLike", PREFIX, "a*b?c*d", "a-b-bc-d", NO),
    ("StringLike", PREFIX, "*", "", YES),
    ("StringLike", PREFIX, "*", None, NO),
    ("StringNotLike", PREFIX, "home/*", "home/ann", NO),
    ("StringNotLike", PREFIX, "home/*", "tmp/", YES),
    ("StringNotLike", PREFIX, "*", None, YES),
]

QUANTITIES = [
    ("NumericEquals", SIZE, "10", "10", YES),
    ("NumericEquals", SIZE, 10, "10.0", YES),
    ("NumericEquals", SIZE, "10", "11", NO),
    ("NumericEquals", SIZE, "10", "ten", NO),
    ("NumericEquals", SIZE, "9007199254740993", "9007199254740992", NO),
    ("NumericNotEquals", SIZE, "10", "11", YES),
    ("NumericNotEquals", SIZE, ["10", "11"], "11", NO),
    ("NumericNotEquals", SIZE, "10", None, YES),
    ("NumericLessThan", SIZE, "10", "9", YES),
    ("NumericLessThan", SIZE, "10", "10", NO),
    ("NumericLessThan", SIZE, "10", None, NO),
    ("NumericLessThanEquals", SIZE, "10", "10", YES),
    ("NumericLessThanEquals", SIZE, "10", "100", NO),
    ("NumericGreaterThan", SIZE, "-1.5", "-1", YES),
    ("NumericGreaterThan", SIZE, "10", "9", NO),
    ("NumericGreaterThanEquals", SIZE, "10", "10", YES),
    ("NumericGreaterThanEquals", SIZE, "10", "9.99", NO),
    ("NumericGreaterThanEqualsIfExists", SIZE, "10", None, YES),
    ("DateEquals", UNTIL, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", YES),
    ("DateEquals", UNTIL, "2026", "2026-01-01", YES),
    ("DateEquals", UNTIL, "2026-03", "2026-03-01T00:00:00Z", YES),
    ("DateEquals", UNTIL, "1767225600", "2026-01-01T00:00:00Z", YES),
    ("DateEquals", UNTIL, "2026-01-01", "yesterday", NO),
    ("DateNotEquals", UNTIL, "2026-01-01", "2026-01-02", YES),
    ("DateNotEquals", UNTIL, "2026-01-01", None, YES),
    ("DateLessThan", UNTIL, "2026-01-02", "2026-01-01T23:59:59.9Z", YES),
    ("DateLessThan", UNTIL, "2026-01-02", "2026-01-02", NO),
    ("DateLessThanEquals", UNTIL, "2026-01-02", "2026-01-02", YES),
    ("DateGreaterThan", UNTIL, "2026-01-02", "2026-01-02T00:00:01Z", YES),
    ("DateGreaterThan", UNTIL, "2026-01-02", None, NO),
    ("DateGreaterThanEquals", UNTIL, "2026-01-02", "2026-01-01", NO),
    ("Bool", "aws:SecureTransport", "true", "true", YES),
    ("Bool", "aws:SecureTransport", False, "false", YES),
    ("Bool", "aws:SecureTransport", "FALSE", "true", NO),
    ("Bool", "aws:SecureTransport", "false", None, NO),
    ("BoolIfExists", "aws:SecureTransport", "false", None, YES),
    ("BinaryEquals", REFERER, "aGk=", "hi", YES),
    ("BinaryEquals", REFERER, "aGk=", "ho", NO),
    ("BinaryEquals", REFERER, "aGk=", None, NO),
]

ADDRESSES_AND_ARNS = [
    ("IpAddress", IP, "10.0.0.0/8", "10.9.8.7", YES),
    ("IpAddress", IP, "10.0.0.0/8", "11.0.0.1", NO),
    ("IpAddress", IP, "10.1.2.3/8", "10.9.8.7", YES),
    ("IpAddress", IP, "192.0.2.1", "192.0.2.1", YES),
    ("IpAddress", IP, "192.0.2.1", "192.0.2.2", NO),
    ("IpAddress", IP, "2001:db8::/32", "2001:db8:1::5", YES),
    ("IpAddress", IP, "2001:db8::/32", "2001:db9::5", NO),
    ("IpAddress", IP, "0.0.0.0/0", "2001:db8::1", NO),
    ("IpAddress", IP, "10.0.0.0/8", "::ffff:10.0.0.1", YES),
    ("IpAddress", IP, ["10.0.0.0/8", "::/0"], "::1", YES),
    ("IpAddress", IP, "10.0.0.0/8", "unix", NO),
    ("IpAddress", IP, "10.0.0.0/8", None, NO),
    ("IpAddressIfExists", IP, "10.0.0.0/8", None, YES),
    ("NotIpAddress", IP, "10.0.0.0/8", "10.0.0.1", NO),
    ("NotIpAddress", IP, "10.0.0.0/8", "11.0.0.1", YES),
    ("NotIpAddress", IP, ["10.0.0.0/8", "11.0.0.0/8"], "11.0.0.1", NO),
    ("NotIpAddress", IP, "10.0.0.0/8", None, YES),
    ("ArnEquals", "aws:SourceArn", "arn:aws:s3:::logs", "arn:aws:s3:::logs", YES),
    ("ArnEquals", "aws:SourceArn", "arn:aws:s3:::l*", "arn:aws:s3:::logs", YES),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3::*:l?gs", "arn:aws:s3::tenant:logs", YES),
    ("ArnLike", "aws:SourceArn", "arn:aws:*:::logs", "arn:aws:s3:eu:7:logs", NO),
    ("ArnLike", "aws:SourceArn", "arn:aws:sns:eu:7:*", "arn:aws:sns:eu:7:a:b", YES),
    ("ArnLike", "aws:SourceArn", "*", "arn:aws:s3:::logs", YES),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3:::logs", "logs", NO),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3:::logs", None, NO),
    ("ArnNotEquals", "aws:SourceArn", "arn:aws:s3:::l*", "arn:aws:s3:::logs", NO),
    ("ArnNotLike", "aws:SourceArn", "arn:aws:s3:::l*", "arn:aws:s3:::tmp", YES),
    ("ArnNotLike", "aws:SourceArn", "arn:aws:s3:::l*", None, YES),
]

PRESENCE = [
    ("Null", PREFIX, "true", None, YES),
    ("Null", PREFIX, "true", "", NO),
    ("Null", PREFIX, False, "a", YES),
    ("Null", PREFIX, "false", None, NO),
    ("StringEqualsIfExists", PREFIX, "a", None, YES),
    ("StringEqualsIfExists", PREFIX, "a", "b", NO),
    ("StringNotEqualsIfExists", PREFIX, "a", None, YES),
    ("StringNotEqualsIfExists", PREFIX, "a", "a", NO),
    ("ForAllValues:StringEquals", KEYS, ["a", "b"], ["a"], YES),
    ("ForAllValues:StringEquals", KEYS, ["a", "b"], ["a", "b", "a"], YES),
    ("ForAllValues:StringEquals", KEYS, ["a", "b"], ["a", "c"], NO),
    ("ForAllValues:StringEquals", KEYS, ["a", "b"], None, YES),
    ("ForAllValues:StringNotEquals", KEYS, ["a", "b"], ["c", "d"], YES),
    ("ForAllValues:StringNotEquals", KEYS, ["a", "b"], ["c", "a"], NO),
    ("ForAllValues:StringNotLike", KEYS, "x*", None, YES),
    ("ForAllValues:StringLikeIfExists", KEYS, "x*", ["x1", "y"], NO),
    ("ForAnyValue:StringEquals", KEYS, ["a", "b"], ["c", "b"], YES),
    ("ForAnyValue:StringEquals", KEYS, ["a", "b"], ["c", "d"], NO),
    ("ForAnyValue:StringEquals", KEYS, ["a", "b"], None, NO),
    ("ForAnyValue:StringEquals", KEYS, ["a", "b"], [], NO),
    ("ForAnyValue:StringNotEquals", KEYS, "a", ["a", "b"], YES),
    ("ForAnyValue:StringNotEquals", KEYS, "a", ["a", "a"], NO),
    ("ForAnyValue:StringNotEquals", KEYS, "a", None, NO),
    ("ForAnyValue:StringEqualsIfExists", KEYS, "a", None, YES),
    ("StringEquals", KEYS, "a", ["b", "a"], YES),
    ("StringNotEquals", KEYS, "a", ["b", "a"], NO),
]


def _id(row: tuple[Any, ...]) -> str:
    operator, key, wanted, given, outcome = row
    return f"{operator} {key} {wanted} of {given} is {outcome}"


TABLE = [*STRINGS, *QUANTITIES, *ADDRESSES_AND_ARNS, *PRESENCE]


@pytest.mark.parametrize(("operator", "key", "wanted", "given", "outcome"), TABLE, ids=map(_id, TABLE))
def test_a_condition_holds_as_its_operator_says(operator, key, wanted, given, outcome):
    policy = bucket_policy(statement(Condition={operator: {key: wanted}}))
    assert decide(request(values={key: given}), [policy]).allowed is outcome


DERIVED = [
    ({"StringEquals": {"aws:username": "ann"}}, ANN, YES),
    ({"StringEquals": {"AWS:UserName": "ann"}}, ANN, YES),
    ({"StringEquals": {"aws:username": "ann"}}, MAIN, NO),
    ({"Null": {"aws:username": "true"}}, MAIN, YES),
    ({"StringEquals": {"aws:userid": "AIDANN"}}, ANN, YES),
    ({"StringEquals": {"aws:userid": "main"}}, MAIN, YES),
    ({"StringEquals": {"aws:userid": "anonymous"}}, ANONYMOUS, YES),
    ({"StringEquals": {"aws:PrincipalType": "User"}}, ANN, YES),
    ({"StringEquals": {"aws:PrincipalType": "Account"}}, MAIN, YES),
    ({"StringEquals": {"aws:PrincipalType": "Anonymous"}}, ANONYMOUS, YES),
    ({"StringEquals": {"aws:PrincipalAccount": "main"}}, ANN, YES),
    ({"Null": {"aws:PrincipalAccount": "true"}}, ANONYMOUS, YES),
    ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::main:user/*"}}, ANN, YES),
    ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::main:user/*"}}, MAIN, NO),
    ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::main:*"}}, ANONYMOUS, YES),
    ({"StringEquals": {"aws:PrincipalTag/team": "red"}}, ANN, YES),
    ({"StringEquals": {"aws:principaltag/TEAM": "red"}}, ANN, YES),
    ({"StringEquals": {"aws:PrincipalTag/team": "red"}}, MAIN, NO),
    ({"Bool": {"aws:PrincipalIsAWSService": "true"}}, LOGGER, YES),
    ({"StringEquals": {"aws:PrincipalServiceName": "logging.s3.amazonaws.com"}}, LOGGER, YES),
    ({"DateGreaterThan": {"aws:CurrentTime": "2026-01-02T03:04:04Z"}}, ANN, YES),
    ({"DateLessThan": {"aws:CurrentTime": "2026-01-02"}}, ANN, NO),
    ({"DateEquals": {"aws:CurrentTime": "2026-01-02T03:04:05Z"}}, ANN, YES),
    ({"NumericLessThan": {"aws:EpochTime": 1767323046}}, ANN, YES),
    ({"DateLessThan": {"aws:EpochTime": "2026-01-02T03:04:06Z"}}, ANN, YES),
    ({"StringEquals": {"aws:username": "ann", "aws:PrincipalAccount": "alt"}}, ANN, NO),
    ({"StringEquals": {"aws:username": "ann"}, "DateLessThan": {"aws:CurrentTime": "2025-01-01"}}, ANN, NO),
    ({}, ANN, YES),
]


@pytest.mark.parametrize(("block", "who", "outcome"), DERIVED, ids=str)
def test_a_request_knows_who_asks_and_when(block, who, outcome):
    policy = bucket_policy(statement(Condition=block))
    assert decide(request(who=who), [policy]).allowed is outcome


TAGGED = [
    ({"s3:ExistingObjectTag/level": "open"}, YES),
    ({"s3:existingobjecttag/level": "open"}, YES),
    ({"s3:ExistingObjectTag/Level": "high"}, YES),
    ({"s3:ExistingObjectTag/LEVEL": "secret"}, NO),
    ({"s3:ExistingObjectTag/other": "open"}, NO),
    ({"s3:RequestObjectTag/level": "open"}, NO),
]


@pytest.mark.parametrize(("block", "outcome"), TAGGED, ids=str)
def test_tags_are_found_by_family_and_name(block, outcome):
    policy = bucket_policy(statement(Condition={"StringEquals": block}))
    tags = {"s3:ExistingObjectTag": {"level": "open", "Level": "high"}}
    assert decide(request(tags=tags), [policy]).allowed is outcome


def test_values_are_looked_for_once_and_only_when_a_statement_asks():
    asked = []

    def tags():
        asked.append("tags")
        return {"level": "open"}

    def address():
        asked.append("address")
        return "10.0.0.1"

    level = {"StringEquals": {"s3:ExistingObjectTag/level": "shut"}}
    policy = bucket_policy(
        statement(Action="s3:PutObject", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        statement(Action="s3:GetObject", Effect="Deny", Condition=level),
        statement(Action="s3:GetObject", Effect="Deny", Condition=level),
        statement(Action="s3:GetObject"),
    )
    context = request(values={"aws:SourceIp": address}, tags={"s3:ExistingObjectTag": tags})
    assert decide(context, [policy]).allowed
    assert asked == ["tags"]

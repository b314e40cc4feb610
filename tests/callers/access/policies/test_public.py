"""Which bucket policies are public."""

import pytest

from gecko_tw.callers.access.policies import is_public
from tests.callers.access.policies.policing import bucket_policy, statement

PUBLIC, CLOSED = True, False
ROWS = [
    ({}, PUBLIC),
    ({"Principal": {"AWS": "*"}}, PUBLIC),
    ({"Principal": {"AWS": ["main", "*"]}}, PUBLIC),
    ({"Principal": {"AWS": "main"}}, CLOSED),
    ({"Principal": {"AWS": "arn:aws:iam::s3tenant1:root"}}, CLOSED),
    ({"Principal": {"CanonicalUser": "c-alt"}}, CLOSED),
    ({"Principal": {"Service": "logging.s3.amazonaws.com"}}, CLOSED),
    ({"Effect": "Deny"}, CLOSED),
    ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/32"}}}, CLOSED),
    ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, CLOSED),
    ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}}, PUBLIC),
    ({"Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}}}, PUBLIC),
    ({"Condition": {"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}}, CLOSED),
    ({"Condition": {"IpAddress": {"aws:SourceIp": "2000::/16"}}}, PUBLIC),
    ({"Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, PUBLIC),
    ({"Condition": {"IpAddressIfExists": {"aws:SourceIp": "10.0.0.0/8"}}}, PUBLIC),
    ({"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-91237329"}}}, CLOSED),
    ({"Condition": {"StringEquals": {"AWS:sourcevpc": "vpc-91237329"}}}, CLOSED),
    ({"Condition": {"StringLike": {"aws:SourceVpc": "vpc-91237329"}}}, CLOSED),
    ({"Condition": {"StringLike": {"aws:SourceVpc": "vpc-*"}}}, PUBLIC),
    ({"Condition": {"StringLike": {"aws:SourceVpc": ["vpc-1", "vpc-?"]}}}, PUBLIC),
    ({"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}, PUBLIC),
    ({"Condition": {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}}, PUBLIC),
    ({"Condition": {"ForAllValues:StringEquals": {"aws:SourceVpc": "vpc-1"}}}, PUBLIC),
    ({"Condition": {"ForAnyValue:StringEquals": {"aws:SourceVpc": "vpc-1"}}}, CLOSED),
    ({"Condition": {"StringEquals": {"aws:SourceVpce": "${aws:SourceVpc}"}}}, PUBLIC),
    ({"Condition": {"StringEquals": {"aws:SourceVpc": ""}}}, PUBLIC),
    ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, CLOSED),
    ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::main:user/ann"}}}, CLOSED),
    ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::main:user/*"}}}, PUBLIC),
    ({"Condition": {"StringEquals": {"aws:userid": "AIDANN"}}}, CLOSED),
    ({"Condition": {"StringLike": {"aws:userid": "AROA1:*"}}}, PUBLIC),
    ({"Condition": {"ArnLike": {"s3:DataAccessPointArn": "arn:aws:s3:eu:main:accesspoint/*"}}}, CLOSED),
    ({"Condition": {"ArnLike": {"s3:DataAccessPointArn": "arn:aws:s3:eu:*:accesspoint/x"}}}, PUBLIC),
    ({"Condition": {"StringLike": {"aws:Referer": "http://www.example.com/"}}}, PUBLIC),
    ({"Condition": {"StringEquals": {"s3:ExistingObjectTag/open": "yes"}}}, PUBLIC),
    ({"Condition": {"Null": {"aws:SourceVpc": "false"}}}, PUBLIC),
    (
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:SourceAccount": "main"}}},
        CLOSED,
    ),
]


@pytest.mark.parametrize(("elements", "public"), ROWS, ids=str)
def test_a_policy_is_public_unless_it_allows_only_fixed_callers(elements, public):
    assert is_public(bucket_policy(statement(**elements))) is public


def test_one_public_statement_makes_the_policy_public():
    closed = statement(Principal={"AWS": "main"})
    assert not is_public(bucket_policy(closed, statement(Effect="Deny")))
    assert is_public(bucket_policy(closed, statement(Effect="Deny"), statement()))

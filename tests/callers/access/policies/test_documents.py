"""What a policy document must be, and what is said of one that is not."""

import json

import pytest

from gecko_tw.callers.access.policies import (
    SIZE_LIMIT,
    MalformedPolicy,
    decide,
    normal_form,
    read_bucket_policy,
    read_identity_policy,
)
from tests.callers.access.policies.policing import (
    BUCKET,
    arn,
    bucket_policy,
    document,
    identity_policy,
    request,
    statement,
)

WHOLE = [
    ("", "invalid Json"),
    ("{", "invalid Json"),
    ("[]", "not an object"),
    ("null", "not an object"),
    ('{"Statement": [], "Statement": []}', 'Duplicate field: "Statement"'),
    ('{"Version": "2012-10-17", "Statement": NaN}', "NaN is not JSON"),
    ("[" * 5000, "invalid Json"),
    (b"\xff{}", "not UTF-8"),
    ("\ud800", "not UTF-8"),
    ("\ufeff{}", "invalid Json"),
    ('{"Version": "2012-10-17"}', "Missing required field Statement"),
    ('{"Version": "2012-10-17", "Statement": []}', "Statement is empty: Statement"),
    ('{"Version": "2012-10-17", "Statement": "all"}', 'not an object: Statement "all"'),
    ('{"Version": "2012-10-17", "Statement": [{}, 1]}', "Missing required field Effect: Statement[0]"),
    ('{"Version": "2012-10-18", "Statement": [{}]}', 'valid version string: Version "2012-10-18"'),
    ('{"Version": ["2012-10-17"], "Statement": [{}]}', "valid version string"),
    ('{"Id": 7, "Statement": [{}]}', "Id must be a string: Id 7"),
    ('{"id": "x", "Statement": [{}]}', "Unknown field: id"),
]


@pytest.mark.parametrize(("text", "said"), WHOLE, ids=lambda value: repr(value)[:40])
def test_a_document_that_is_no_policy_is_refused(text, said):
    with pytest.raises(MalformedPolicy) as refused:
        read_bucket_policy(text, BUCKET)
    assert said in refused.value.message


ELEMENTS = [
    ({"Effect": "allow"}, 'Invalid effect: Statement[0].Effect "allow"'),
    ({"Effect": ["Allow"]}, "Invalid effect"),
    ({"Effect": None}, "Missing required field Effect: Statement[0]"),
    ({"Sid": 5}, "Sid must be a string: Statement[0].Sid 5"),
    ({"Sids": "x"}, "Unknown field: Statement[0].Sids"),
    ({"Caf\u00e9\n": "x"}, "Unknown field: Statement[0].Caf\\u00e9\\n"),
    ({"Principal": None}, "Missing required field Principal: Statement[0]"),
    ({"Principal": "ann"}, 'Invalid principal in policy: Statement[0].Principal "ann"'),
    ({"Principal": {}}, "Invalid principal in policy"),
    ({"Principal": []}, "Invalid principal in policy"),
    ({"Principal": {"AWS": []}}, "Invalid principal in policy: Statement[0].Principal.AWS []"),
    ({"Principal": {"AWS": [7]}}, "Invalid principal in policy"),
    ({"Principal": {"AWS": ""}}, "Invalid principal in policy"),
    ({"Principal": {"AWS": "arn:aws:iam::main:user/*"}}, "Invalid principal in policy"),
    ({"Principal": {"AWS": "arn:aws:iam::main:user/"}}, "Invalid principal in policy"),
    ({"Principal": {"AWS": "arn:aws:iam::main:user/${aws:username}"}}, "Invalid principal in policy"),
    ({"Principal": {"AWS": "arn:aws:iam::main:group/red"}}, "Invalid principal in policy"),
    ({"Principal": {"AWS": "arn:aws:iam:::user/ann"}}, "Invalid principal in policy"),
    ({"Principal": {"AWS": "arn:aws:s3:::photos"}}, "Invalid principal in policy"),
    ({"Principal": {"Federated": "example.com"}}, "Invalid principal in policy"),
    ({"Principal": {"CanonicalUser": "*"}}, "Invalid principal in policy"),
    ({"NotPrincipal": {"AWS": "main"}}, "Allow with NotPrincipal is not allowed: Statement[0].NotPrincipal"),
    ({"Principal": "*", "NotPrincipal": "*"}, "Statement has both Principal and NotPrincipal: Statement[0]"),
    ({"Action": None}, "Missing required field Action: Statement[0]"),
    ({"Action": []}, "Policy has invalid action: Statement[0].Action []"),
    ({"Action": {"s3": "GetObject"}}, "Policy has invalid action"),
    ({"Action": "s3:GetObjekt"}, 'Policy has invalid action: Statement[0].Action "s3:GetObjekt"'),
    ({"Action": "s3:Foo*"}, "Policy has invalid action"),
    ({"Action": "GetObject"}, "Policy has invalid action"),
    ({"Action": "iam:CreateUser"}, "Policy has invalid action"),
    ({"Action": ["s3:GetObject", ""]}, 'Policy has invalid action: Statement[0].Action ""'),
    ({"NotAction": "s3:Foo"}, "Policy has invalid action: Statement[0].NotAction"),
    ({"Action": "s3:ListBucket", "Resource": arn("photos/*")}, "does not apply to any resource(s) in statement"),
    ({"Action": "s3:GetObject", "Resource": arn("photos")}, "does not apply to any resource(s) in statement"),
    ({"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": arn("photos/*")}, 'Action "s3:ListBucket"'),
    ({"Action": "s3:ListAllMyBuckets"}, "does not apply to any resource(s) in statement"),
    ({"Resource": None}, "Missing required field Resource: Statement[0]"),
    ({"Resource": []}, "Policy has invalid resource: Statement[0].Resource []"),
    ({"Resource": "photos/*"}, 'Policy has invalid resource: Statement[0].Resource "photos/*"'),
    ({"Resource": "arn:aws:s3:::"}, "Policy has invalid resource"),
    ({"Resource": "arn:aws:s3"}, "Policy has invalid resource"),
    ({"Resource": "urn:aws:s3:::photos/*"}, "Policy has invalid resource"),
    ({"Resource": arn("other/*")}, "Policy has invalid resource, outside the bucket"),
    ({"Resource": arn("photos2")}, "outside the bucket"),
    ({"Resource": [arn("photos/*"), arn("phot?/*")]}, "outside the bucket"),
    ({"Resource": "arn:aws:sns:::photos"}, "outside the bucket"),
    ({"Resource": "arn:aws:s3::${aws:username}:photos"}, "behind the fifth colon"),
    ({"Resource": arn("photos/${aws:username")}, "unfinished variable"),
    ({"Resource": arn("photos/${aws:nothing}")}, "unknown variable"),
    ({"Resource": arn("photos/${aws:TagKeys}")}, "several values cannot be a policy variable"),
    ({"Resource": arn("photos/${aws:username, guest}")}, "in single quotes"),
    ({"Condition": []}, "Condition that is not an object"),
    (
        {"Condition": {"StringEqual": {"s3:prefix": "a"}}},
        'Invalid Condition type: Statement[0].Condition "StringEqual"',
    ),
    ({"Condition": {"stringequals": {"s3:prefix": "a"}}}, "Invalid Condition type"),
    ({"Condition": {"ForSomeValues:StringLike": {"s3:prefix": "a"}}}, "Invalid Condition type"),
    ({"Condition": {"NullIfExists": {"s3:prefix": "true"}}}, "Invalid Condition type"),
    ({"Condition": {"ForAnyValue:Null": {"s3:prefix": "true"}}}, "Invalid Condition type"),
    ({"Condition": {"StringEquals": {}}}, "A condition operator needs an object of keys"),
    ({"Condition": {"StringEquals": "a"}}, "A condition operator needs an object of keys"),
    ({"Condition": {"StringEquals": {"s3:prefixes": "a"}}}, "Policy has an invalid condition key"),
    ({"Condition": {"StringEquals": {"s3:ExistingObjectTag": "a"}}}, "Policy has an invalid condition key"),
    ({"Condition": {"StringEquals": {"s3:ExistingObjectTag/": "a"}}}, "Policy has an invalid condition key"),
    ({"Condition": {"StringEquals": {"s3:prefix": []}}}, "Statement[0].Condition.StringEquals.s3:prefix []"),
    ({"Condition": {"StringEquals": {"s3:prefix": {"a": "b"}}}}, "A condition needs a value"),
    ({"Condition": {"StringEquals": {"s3:prefix": [None]}}}, "A condition needs a value"),
    (
        {"Condition": {"NumericLessThan": {"s3:max-keys": "ten"}}},
        "Invalid number in Conditions: Statement[0].Condition.Num",
    ),
    ({"Condition": {"NumericLessThan": {"s3:max-keys": 1e300}}}, "Invalid number in Conditions"),
    ({"Condition": {"DateLessThan": {"aws:CurrentTime": "soon"}}}, "Invalid date in Conditions"),
    ({"Condition": {"Bool": {"aws:SecureTransport": "yes"}}}, "Invalid boolean in Conditions"),
    ({"Condition": {"Null": {"s3:prefix": "absent"}}}, "Invalid boolean in Conditions"),
    ({"Condition": {"BinaryEquals": {"s3:prefix": "?"}}}, "Invalid Base64 in Conditions"),
    ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0"}}}, "Invalid IP address in Conditions"),
    ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}}, "Invalid IP address in Conditions"),
    ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/0.0.0.255"}}}, "Invalid IP address in Conditions"),
    ({"Condition": {"IpAddress": {"aws:SourceIp": "${aws:username}"}}}, "Invalid IP address in Conditions"),
    ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3"}}}, "Invalid ARN in Conditions"),
    ({"Condition": {"StringLike": {"s3:prefix": "${"}}}, "unfinished variable"),
]


@pytest.mark.parametrize(("elements", "said"), ELEMENTS, ids=lambda value: str(value)[:60])
def test_a_statement_with_a_wrong_element_is_refused_naming_it(elements, said):
    with pytest.raises(MalformedPolicy) as refused:
        bucket_policy(statement(**elements))
    assert said in refused.value.message
    assert refused.value.code == "MalformedPolicy"


def test_both_an_element_and_its_opposite_are_one_too_many():
    both = [
        {**statement(), "NotAction": "s3:GetObject"},
        {**statement(), "NotResource": "*"},
        {**statement(Effect="Deny"), "NotPrincipal": "*"},
    ]
    for each in both:
        with pytest.raises(MalformedPolicy, match="Statement has both"):
            bucket_policy(each)


def test_sids_are_unique_but_may_be_empty():
    bucket_policy(statement(Sid=""), statement(Sid=""), statement(Sid="Anybody may read"))
    with pytest.raises(MalformedPolicy, match=r"must be unique: Statement\[1\].Sid \"a\""):
        bucket_policy(statement(Sid="a"), statement(Sid="a"))


def test_the_policies_of_users_name_no_principals_and_may_name_other_services():
    identity_policy(statement(Action=["iam:*", "STS:AssumeRole", "s3:GetObject", "admin:*"], Resource="*"))
    for name in ("Principal", "NotPrincipal"):
        with pytest.raises(MalformedPolicy, match="should not specify a principal"):
            read_identity_policy(document({**statement(Principal=None), name: "*"}), "own")
    for action in ("ec2:RunInstances", "iam:", "iam:Create User", ":GetObject", "s3:Nothing"):
        with pytest.raises(MalformedPolicy, match="Policy has invalid action"):
            identity_policy(statement(Action=action))


def test_the_policies_of_users_are_not_bound_to_a_bucket():
    identity_policy(statement(Action="s3:ListBucket", Resource=[arn("any/*"), "arn:aws:kms:eu:1:key/*"]))


@pytest.mark.parametrize(
    "resource", ["*", "photos*", "*/*", "p*", "photo?/*", "*", "photos", "photos/a?b/${aws:username}"]
)
def test_resources_that_can_be_in_the_bucket_are_accepted(resource):
    bucket_policy(statement(Resource=resource if resource == "*" else arn(resource)))


def test_a_single_statement_needs_no_list():
    policy = read_bucket_policy(json.dumps({"Statement": statement()}), BUCKET)
    assert policy.version == "2008-10-17"
    assert len(policy.statements) == 1


def test_a_document_may_be_20_kib_long():
    short = document(statement())
    read_bucket_policy(short + " " * (SIZE_LIMIT - len(short)), BUCKET)
    with pytest.raises(MalformedPolicy, match="exceeds the maximum allowed document size"):
        read_bucket_policy(short + " " * (SIZE_LIMIT - len(short) + 1), BUCKET)


def test_the_text_is_kept_as_it_was_given():
    text = b'\n{ "Statement":\t[' + json.dumps(statement(Sid="\u00e9t\u00e9"), ensure_ascii=False).encode() + b"] }\r\n"
    assert read_bucket_policy(text, BUCKET).text.encode() == text


@pytest.mark.parametrize(
    "resource", ["*" * 19_000, "*?" * 9_000, "?" * 19_000, "${aws:username}" * 1_200, "*p*h" * 4_000]
)
def test_documents_made_to_be_slow_are_read_and_used_all_the_same(resource):
    policy = bucket_policy(statement(Resource=["*", arn(resource)], Action="s3:GetObject", Effect="Deny"))
    assert decide(request(path="photos/" + "p" * 1000), [policy]).explicit_deny


def test_an_id_is_kept_in_the_normal_form():
    policy = read_bucket_policy(document(statement(), Id="mine"), BUCKET)
    assert policy.id == "mine"
    assert json.loads(normal_form(policy))["Id"] == "mine"


def test_the_normal_form_spells_names_as_s3_does():
    policy = bucket_policy(
        {
            "Effect": "Deny",
            "NotPrincipal": {"AWS": "main", "CanonicalUser": ["c-alt"]},
            "Action": "S3:GETOBJECT",
            "NotResource": arn("photos/*"),
            "Condition": {"NumericLessThan": {"S3:Max-Keys": 5}, "Bool": {"aws:securetransport": False}},
        }
    )
    assert json.loads(normal_form(policy)) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "NotPrincipal": {"AWS": ["main"], "CanonicalUser": ["c-alt"]},
                "Action": ["s3:GetObject"],
                "NotResource": [arn("photos/*")],
                "Condition": {"NumericLessThan": {"s3:max-keys": ["5"]}, "Bool": {"aws:SecureTransport": ["false"]}},
            }
        ],
    }

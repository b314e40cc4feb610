"""Whom, what and where a statement is about: tables for each of its elements, and what several statements say together."""

import pytest

from gecko_tw.callers.access.policies import ANONYMOUS, Principal, RequestContext, decide, needed_keys
from gecko_tw.callers.access.policies.context import EVERY_BUCKET, resource_arn
from tests.callers.access.policies.policing import (
    ALT,
    ANN,
    BOB,
    BUCKET,
    EVE,
    LOGGER,
    MAIN,
    arn,
    bucket_policy,
    identity_policy,
    request,
    statement,
)

YES, NO = True, False
ANN_ARN, MAIN_ARN = "arn:aws:iam::main:user/ann", "arn:aws:iam::main:root"
DEPLOYER = Principal(account="main", user_name="deployer", arn="arn:aws:iam::main:role/deployer")

PRINCIPALS = [
    ("*", ANONYMOUS, YES),
    ("*", EVE, YES),
    ({"AWS": "*"}, ANONYMOUS, YES),
    ({"AWS": ["*"]}, ANN, YES),
    ({"AWS": ANN_ARN}, ANN, YES),
    ({"AWS": ANN_ARN}, BOB, NO),
    ({"AWS": ANN_ARN}, MAIN, NO),
    ({"AWS": ANN_ARN}, ANONYMOUS, NO),
    ({"AWS": [ANN_ARN, "arn:aws:iam::main:user/bob"]}, BOB, YES),
    ({"AWS": "arn:aws:iam::main:user/teams/red/ann"}, ANN, NO),
    ({"AWS": MAIN_ARN}, MAIN, YES),
    ({"AWS": MAIN_ARN}, ANN, YES),
    ({"AWS": "main"}, ANN, YES),
    ({"AWS": "main"}, EVE, NO),
    ({"AWS": "main"}, ANONYMOUS, NO),
    ({"AWS": ["main", "*"]}, EVE, YES),
    ({"AWS": "arn:aws:iam::main:role/deployer"}, DEPLOYER, YES),
    ({"AWS": "arn:aws:sts::main:assumed-role/deployer/ci"}, DEPLOYER, NO),
    ({"CanonicalUser": "c-alt"}, ALT, YES),
    ({"CanonicalUser": "c-alt"}, EVE, YES),
    ({"CanonicalUser": "c-alt"}, ANN, NO),
    ({"Service": "logging.s3.amazonaws.com"}, LOGGER, YES),
    ({"Service": "logging.s3.amazonaws.com"}, ANN, NO),
    ({"AWS": "main"}, LOGGER, NO),
    ({"AWS": ANN_ARN, "CanonicalUser": "c-alt"}, ALT, YES),
]


@pytest.mark.parametrize(("principal", "who", "outcome"), PRINCIPALS, ids=str)
def test_a_statement_is_about_its_principals(principal, who, outcome):
    policy = bucket_policy(statement(Principal=principal))
    assert decide(request(who=who), [policy]).allowed is outcome


EXCEPTED = [
    ({"AWS": ANN_ARN}, ANN, NO),
    ({"AWS": ANN_ARN}, BOB, YES),
    ({"AWS": ANN_ARN}, ANONYMOUS, YES),
    ({"AWS": ANN_ARN}, MAIN, YES),
    ({"AWS": [ANN_ARN, MAIN_ARN]}, MAIN, NO),
    ({"AWS": [ANN_ARN, MAIN_ARN]}, BOB, YES),
    ({"AWS": "main"}, BOB, YES),
    ({"AWS": "main"}, MAIN, NO),
    ({"CanonicalUser": "c-alt"}, ALT, NO),
    ({"Service": "logging.s3.amazonaws.com"}, LOGGER, NO),
    ("*", ANONYMOUS, NO),
]


@pytest.mark.parametrize(("principal", "who", "denied"), EXCEPTED, ids=str)
def test_not_principal_denies_everybody_else(principal, who, denied):
    policy = bucket_policy(statement(), statement(Effect="Deny", NotPrincipal=principal))
    decision = decide(request(who=who), [policy])
    assert decision.explicit_deny is denied
    assert decision.allowed is not denied


ACTIONS = [
    ("s3:GetObject", "s3:GetObject", YES),
    ("S3:getobject", "s3:GetObject", YES),
    ("s3:GetObject", "s3:GetObjectVersion", NO),
    ("s3:GetObject*", "s3:GetObjectVersion", YES),
    ("s3:Get*", "s3:PutObject", NO),
    ("s3:*Object", "s3:DeleteObject", YES),
    ("s3:?etObject", "s3:GetObject", YES),
    ("s3:*", "s3:ListBucket", YES),
    ("*", "s3:PutBucketPolicy", YES),
    (["s3:PutObject", "s3:GetObject"], "s3:GetObject", YES),
    ("s3:*", "s3:NamedByADropin", YES),
    ("s3:Get*", "s3:GetWhateverADropinHas", YES),
    ("s3:*", "iam:CreateUser", NO),
    ("*", "iam:CreateUser", YES),
]


@pytest.mark.parametrize(("element", "action", "outcome"), ACTIONS, ids=str)
def test_a_statement_is_about_its_actions_and_not_action_about_all_others(element, action, outcome):
    context = RequestContext(principal=ANN, action=action, resource=arn(BUCKET + "/a"), now=0)
    assert decide(context, [bucket_policy(statement(Action=element))]).allowed is outcome
    assert decide(context, [bucket_policy(statement(NotAction=element))]).allowed is not outcome


RESOURCES = [
    ("*", "photos/cat.jpg", YES),
    ("*", "photos", YES),
    (arn("photos"), "photos", YES),
    (arn("photos"), "photos/cat.jpg", NO),
    (arn("photos/*"), "photos", NO),
    (arn("photos/*"), "photos/cat.jpg", YES),
    (arn("photos/*"), "photos/a/b/c", YES),
    (arn("photos/*"), "photos/", YES),
    (arn("photos/*"), "photos2/cat.jpg", NO),
    (arn("photos*"), "photos", YES),
    (arn("photos*"), "photos/cat.jpg", YES),
    (arn("photos/a/*"), "photos/a/cat.jpg", YES),
    (arn("photos/a/*"), "photos/b/cat.jpg", NO),
    (arn("photos/*.jpg"), "photos/a/cat.jpg", YES),
    (arn("photos/*.jpg"), "photos/a/cat.png", NO),
    (arn("photos/cat.jpg"), "photos/cat.jpg", YES),
    (arn("photos/cat.jpg"), "photos/CAT.jpg", NO),
    (arn("photos/???.jpg"), "photos/cat.jpg", YES),
    (arn("photos/???.jpg"), "photos/goat.jpg", NO),
    (arn("photos/*/thumb/*.jpg"), "photos/x/thumb/y.jpg", YES),
    (arn("photos/*/thumb/*.jpg"), "photos/thumb/y.jpg", NO),
    (arn("photos/a:b:c"), "photos/a:b:c", YES),
    (arn("photos/*"), "photos/line\nbreak", YES),
    (arn("photos/\u00e9*"), "photos/\u00e9t\u00e9", YES),
    (arn("p*s/x"), "photos/x", YES),
    ("arn:aws:s3::*:photos/*", "photos/x", YES),
    ("arn:*:s3:::photos/*", "photos/x", YES),
]


@pytest.mark.parametrize(("element", "path", "outcome"), RESOURCES, ids=str)
def test_a_statement_is_about_its_resources_and_not_resource_about_all_others(element, path, outcome):
    action = "ListBucket" if path == "photos" else "GetObject"
    context = request(action, path)
    identity = identity_policy(statement(Resource=element))
    opposite = identity_policy(statement(NotResource=element))
    assert decide(context, [identity]).allowed is outcome
    assert decide(context, [opposite]).allowed is not outcome


def test_resources_of_other_services_never_are_buckets_or_objects():
    policy = identity_policy(statement(Resource=["arn:aws:kms:eu:1:key/7", "arn:aws-cn:s3:::photos/*"]))
    assert not decide(request(), [policy]).allowed


def test_resources_that_are_no_buckets_are_matched_part_by_part():
    policy = identity_policy(statement(Action="iam:*", Resource="arn:aws:iam::main:user/*"))
    context = RequestContext(principal=ANN, action="iam:GetUser", resource="arn:aws:iam::main:user/bob", now=0)
    assert decide(context, [policy]).allowed
    elsewhere = RequestContext(principal=ANN, action="iam:GetUser", resource="arn:aws:iam::alt:user/bob", now=0)
    assert not decide(elsewhere, [policy]).allowed


def test_listing_all_buckets_needs_every_bucket():
    context = RequestContext(principal=ANN, action="s3:ListAllMyBuckets", resource=EVERY_BUCKET, now=0)
    assert decide(context, [identity_policy(statement(Resource="*"))]).allowed
    assert decide(context, [identity_policy(statement(Resource=arn("*")))]).allowed
    assert not decide(context, [identity_policy(statement(Resource=arn("photos*")))]).allowed


def test_a_resource_arn_names_objects_that_are_not_utf_8():
    assert resource_arn("photos", b"\xff") == arn("photos/\udcff")
    assert resource_arn("photos") == arn("photos")
    assert resource_arn() == EVERY_BUCKET


STAR_NAME = Principal(account="main", user_name="*", user_id="AIDSTAR")
TEAM_NAME = "${aws:PrincipalTag/team, 'all'}"
VARIABLES = [
    ("photos/home/${aws:username}/*", ANN, "photos/home/ann/x", YES),
    ("photos/home/${aws:username}/*", ANN, "photos/home/bob/x", NO),
    ("photos/home/${aws:username}/*", MAIN, "photos/home//x", NO),
    ("photos/home/${aws:username}/*", ANONYMOUS, "photos/home/ann/x", NO),
    ("photos/home/${aws:username}/*", STAR_NAME, "photos/home/bob/x", NO),
    ("photos/home/${aws:username}/*", STAR_NAME, "photos/home/*/x", YES),
    ("photos/home/${AWS:UserName}/*", ANN, "photos/home/ann/x", YES),
    ("photos/${aws:PrincipalTag/team}/*", ANN, "photos/red/x", YES),
    ("photos/${aws:PrincipalTag/team}/*", BOB, "photos/red/x", NO),
    (f"photos/{TEAM_NAME}/*", BOB, "photos/all/x", YES),
    (f"photos/{TEAM_NAME}/*", ANN, "photos/all/x", NO),
    ("photos/${aws:PrincipalTag/team, '*'}/*", BOB, "photos/any/x", NO),
    ("photos/${aws:PrincipalTag/team, '}'}/*", BOB, "photos/}/x", YES),
    ("photos/${aws:PrincipalTag/team,''}/*", BOB, "photos//x", YES),
    ("photos/${*}/${?}/${$}", ANN, "photos/*/?/$", YES),
    ("photos/${*}/*", ANN, "photos/any/x", NO),
    ("photos/$5/*", ANN, "photos/$5/x", YES),
    ("photos/${aws:username}-${aws:PrincipalAccount}", ANN, "photos/ann-main", YES),
    ("photos/*/${aws:username}.???", ANN, "photos/a/b/ann.jpg", YES),
]


@pytest.mark.parametrize(("element", "who", "path", "outcome"), VARIABLES, ids=str)
def test_variables_in_a_resource_stand_for_values_of_the_request(element, who, path, outcome):
    policy = bucket_policy(statement(Resource=arn(element), Action="s3:GetObject"))
    assert decide(request(path=path, who=who), [policy]).allowed is outcome


VARIABLE_CONDITIONS = [
    ("StringEquals", "${aws:username}", ANN, "ann", YES),
    ("StringEquals", "${aws:username}", ANN, "bob", NO),
    ("StringEquals", "${aws:username}", MAIN, "ann", NO),
    ("StringNotEquals", "${aws:username}", MAIN, "ann", YES),
    ("StringNotEquals", "${aws:username}", ANN, "ann", NO),
    ("StringEquals", "${aws:username, 'guest'}", MAIN, "guest", YES),
    ("StringEqualsIgnoreCase", "X${aws:username}", ANN, "xANN", YES),
    ("StringLike", "home/${aws:username}/*", ANN, "home/ann/x", YES),
    ("StringLike", "home/${aws:username}/*", STAR_NAME, "home/ann/x", NO),
    ("StringLike", "a${*}b*", ANN, "a*bc", YES),
    ("StringLike", "a${*}b*", ANN, "axbc", NO),
    ("StringNotLike", "home/${aws:username}/*", MAIN, "home/ann/x", YES),
    ("ArnLike", "arn:aws:iam::${aws:PrincipalAccount}:user/*", ANN, "arn:aws:iam::main:user/x", YES),
    ("ArnLike", "arn:aws:iam::${aws:PrincipalAccount}:user/*", ANN, "arn:aws:iam::alt:user/x", NO),
    ("ForAnyValue:StringLike", "${aws:username}-*", ANN, "ann-1", YES),
]


@pytest.mark.parametrize(("operator", "wanted", "who", "given", "outcome"), VARIABLE_CONDITIONS, ids=str)
def test_variables_in_a_condition_stand_for_values_of_the_request(operator, wanted, who, given, outcome):
    policy = bucket_policy(statement(Condition={operator: {"s3:prefix": wanted}}))
    context = request("ListBucket", BUCKET, who, values={"s3:prefix": given})
    assert decide(context, [policy]).allowed is outcome


def test_the_old_version_has_no_variables():
    policy = bucket_policy(
        statement(Resource=arn("photos/${aws:username}/*"), Action="s3:GetObject"), version="2008-10-17"
    )
    assert not decide(request(path="photos/ann/x"), [policy]).allowed
    assert decide(request(path="photos/${aws:username}/x"), [policy]).allowed


def test_a_variable_without_value_in_not_resource_matches_nothing_so_the_statement_applies():
    policy = bucket_policy(statement(), statement(Effect="Deny", NotResource=arn("photos/${aws:username}/*")))
    assert decide(request(path="photos/ann/x"), [policy]).allowed
    assert decide(request(path="photos/ann/x", who=MAIN), [policy]).explicit_deny


ALLOW, DENY = statement(Sid="yes"), statement(Sid="no", Effect="Deny")
OTHER = statement(Sid="other", Action="s3:PutObject")
TOGETHER = [
    ([], NO, NO, ""),
    ([ALLOW], YES, NO, "yes"),
    ([DENY], NO, YES, "no"),
    ([ALLOW, DENY], NO, YES, "no"),
    ([DENY, ALLOW], NO, YES, "no"),
    ([OTHER], NO, NO, ""),
    ([OTHER, ALLOW], YES, NO, "yes"),
]


@pytest.mark.parametrize(("statements", "allowed", "denied", "sid"), TOGETHER)
def test_deny_beats_allow_and_allow_beats_nothing(statements, allowed, denied, sid):
    policies = [bucket_policy(each) for each in statements]
    if statements:
        policies.append(bucket_policy(*statements))
    decision = decide(request(), policies)
    assert (decision.allowed, decision.explicit_deny) == (allowed, denied)
    assert (decision.statement.sid if decision.statement else "") == sid


def test_a_decision_says_which_statement_of_which_policy_decided():
    policies = [identity_policy(OTHER, name="writers"), identity_policy(ALLOW, name="readers")]
    decision = decide(request(), policies)
    assert decision.policy is policies[1]
    assert decision.why == 'allowed by statement 1 "yes" of the policy readers'
    assert decide(request("ListBucket", BUCKET), policies[:1]).why == "no statement allows it"


def test_what_is_allowed_to_an_account_is_delegated_to_its_users_unless_they_are_named():
    account, named = statement(Principal={"AWS": "main"}), statement(Principal={"AWS": ANN_ARN}, Sid="named")
    assert decide(request(), [bucket_policy(account)]).delegated
    assert not decide(request(who=MAIN), [bucket_policy(account)]).delegated
    both = decide(request(), [bucket_policy(account, named)])
    assert both.allowed
    assert not both.delegated
    assert both.statement.sid == "named"


def test_the_needed_keys_are_those_of_the_statements_that_may_be_about_a_request():
    policy = bucket_policy(
        statement(Action="s3:GetObject", Condition={"StringEquals": {"S3:ExistingObjectTag/level": "${aws:username}"}}),
        statement(Action="s3:PutObject", Condition={"Null": {"aws:sourceip": "true"}}),
        statement(Principal={"AWS": "alt"}, Condition={"Null": {"aws:Referer": "true"}}),
        statement(Resource=arn("photos/x/*"), Condition={"Null": {"aws:UserAgent": "true"}}, Action="s3:GetObject"),
        statement(Resource=arn("photos/${aws:PrincipalTag/a}/*"), Action="s3:GetObject"),
    )
    mine = {"s3:ExistingObjectTag/level", "aws:username", "aws:PrincipalTag/a"}
    assert needed_keys([policy], request()) == mine
    assert needed_keys([policy]) == mine | {"aws:SourceIp", "aws:Referer", "aws:UserAgent"}
    assert needed_keys([bucket_policy(statement())], request()) == frozenset()

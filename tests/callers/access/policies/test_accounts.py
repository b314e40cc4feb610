"""Policies of users and of buckets put together, in one account and between two."""

import pytest

from gecko_tw.callers.access.policies import ANONYMOUS, authorize
from tests.callers.access.policies.policing import (
    ALT,
    ANN,
    BUCKET,
    EVE,
    LOGGER,
    MAIN,
    bucket_policy,
    identity_policy,
    request,
    statement,
)

ANN_ARN, EVE_ARN = "arn:aws:iam::main:user/ann", "arn:aws:iam::alt:user/eve"
NONE = None
EVERYBODY, NOBODY = statement(), statement(Effect="Deny")
MY_ACCOUNT, OTHER_ACCOUNT = statement(Principal={"AWS": "main"}), statement(Principal={"AWS": "alt"})
NAMED = statement(Principal={"AWS": [ANN_ARN, EVE_ARN]})
OWN_ALLOW, OWN_DENY = statement(), statement(Effect="Deny")

ROWS = [
    # who, their own policy, the bucket's policy, may they?
    (MAIN, NONE, NONE, True),
    (MAIN, NONE, NOBODY, False),
    (MAIN, OWN_DENY, NONE, False),
    (ANN, NONE, NONE, False),
    (ANN, OWN_ALLOW, NONE, True),
    (ANN, OWN_ALLOW, NOBODY, False),
    (ANN, OWN_DENY, EVERYBODY, False),
    (ANN, NONE, EVERYBODY, True),
    (ANN, NONE, NAMED, True),
    (ANN, NONE, MY_ACCOUNT, False),
    (ANN, OWN_ALLOW, MY_ACCOUNT, True),
    (ANN, OWN_ALLOW, OTHER_ACCOUNT, True),
    (ALT, NONE, NONE, False),
    (ALT, OWN_ALLOW, NONE, False),
    (ALT, NONE, OTHER_ACCOUNT, True),
    (ALT, NONE, EVERYBODY, True),
    (ALT, OWN_DENY, EVERYBODY, False),
    (EVE, NONE, OTHER_ACCOUNT, False),
    (EVE, OWN_ALLOW, OTHER_ACCOUNT, True),
    (EVE, NONE, NAMED, False),
    (EVE, OWN_ALLOW, NAMED, True),
    (EVE, OWN_ALLOW, NONE, False),
    (EVE, OWN_ALLOW, MY_ACCOUNT, False),
    (ANONYMOUS, NONE, NONE, False),
    (ANONYMOUS, NONE, EVERYBODY, True),
    (ANONYMOUS, NONE, NAMED, False),
    (ANONYMOUS, NONE, MY_ACCOUNT, False),
    (LOGGER, NONE, statement(Principal={"Service": LOGGER.service}), True),
    (LOGGER, NONE, OTHER_ACCOUNT, False),
]


@pytest.mark.parametrize(("who", "own", "of_bucket", "allowed"), ROWS, ids=str)
def test_two_policies_are_put_together_as_s3_does(who, own, of_bucket, allowed):
    mine = [identity_policy(own)] if own else []
    theirs = bucket_policy(of_bucket) if of_bucket else None
    decision = authorize(request(who=who), mine, theirs, "main")
    assert decision.allowed is allowed
    assert decision.why


@pytest.mark.parametrize("action", ["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"])
def test_the_owner_can_always_manage_the_policy(action):
    policy = bucket_policy(NOBODY)
    assert authorize(request(action, BUCKET, MAIN), [], policy, "main").allowed
    assert not authorize(request(action, BUCKET, ANN), [identity_policy(OWN_ALLOW)], policy, "main").allowed
    assert not authorize(request(action, BUCKET, ALT), [], policy, "main").allowed
    assert not authorize(request("GetBucketAcl", BUCKET, MAIN), [], policy, "main").allowed


def test_nobody_owns_what_has_no_owner():
    assert not authorize(request(who=ANONYMOUS), [], None, "").allowed

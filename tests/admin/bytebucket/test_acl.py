"""Lists of ByteBucket's users as policies: both say the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.admin.bytebucket.acl import policy_of, rules_of
from gecko_tw.callers.access.policies.refusals import MalformedPolicy
from gecko_tw.store.refusals import InvalidArgument

ACTIONS = st.sampled_from(["*", "s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:ListBuckets", "s3:DeleteObject"])
BUCKETS = st.sampled_from(["*", "reports", "uploads", "a-1"])
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "effect": st.sampled_from(["Allow", "Deny"]),
            "buckets": st.lists(BUCKETS, min_size=1, max_size=3, unique=True),
            "actions": st.lists(ACTIONS, min_size=1, max_size=3, unique=True),
        }
    ),
    max_size=4,
)


def plain(rules):
    """A star makes what stands beside it superfluous."""
    return [{**rule, "buckets": ["*"] if "*" in rule["buckets"] else rule["buckets"]} for rule in rules]


@given(RULES)
def test_what_is_written_is_read_again(rules):
    assert rules_of(policy_of(rules)) == plain(rules)


def test_the_lists_of_the_readme_are_the_policies_that_it_describes():
    admin = [{"effect": "Allow", "buckets": ["*"], "actions": ["*"]}]
    reader = [{"effect": "Allow", "buckets": ["reports"], "actions": ["s3:GetObject", "s3:ListBucket"]}]
    (statement,) = json.loads(policy_of(admin))["Statement"]
    assert statement == {"Effect": "Allow", "Action": ["s3:*", "admin:*"], "Resource": ["*"]}
    (statement,) = json.loads(policy_of(reader))["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"],
    }


@pytest.mark.parametrize("effect", ["allow", "ALLOW", "Allow"])
def test_effects_are_read_in_any_case(effect):
    rules = [{"effect": effect, "buckets": ["*"], "actions": ["*"]}]
    assert rules_of(policy_of(rules)) == [{"effect": "Allow", "buckets": ["*"], "actions": ["*"]}]


@pytest.mark.parametrize(
    "change",
    [
        {"effect": "Maybe"},
        {"buckets": []},
        {"actions": []},
        {"buckets": ["re*"]},
        {"buckets": ["A"]},
        {"buckets": ["a/b"]},
        {"actions": ["admin:*"]},
        {"actions": ["iam:CreateUser"]},
        {"actions": ["GetObject"]},
    ],
)
def test_what_no_rule_can_say_is_refused(change):
    with pytest.raises((InvalidArgument, MalformedPolicy)):
        policy_of([{"effect": "Allow", "buckets": ["b"], "actions": ["s3:GetObject"], **change}])


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
        {"Effect": "Allow", "NotAction": ["s3:GetObject"], "Resource": ["*"]},
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::b/images/*"]},
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"], "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]},
    ],
)  # fmt: skip
def test_a_policy_that_rules_cannot_say_is_none(statement):
    assert rules_of(json.dumps({"Version": "2012-10-17", "Statement": [statement]})) is None

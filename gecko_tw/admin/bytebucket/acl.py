"""ByteBucket's access control lists of users as policies, and back. Pure.

A rule is ``{"effect", "buckets", "actions"}``; ``*`` alone means all. A rule that allows everything makes an administrator.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gecko_tw.callers.access.policies import read_identity_policy
from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

Rule = Mapping[str, Any]  # of JSON
Rules = Sequence[Rule]

_ALL = "*"
_ANY = "arn:aws:s3:::"
_NAMES = {"s3:ListBuckets": "s3:ListAllMyBuckets"}
"""Actions that have another name in policies."""

_EFFECTS = {"allow": "Allow", "deny": "Deny"}


def policy_of(rules: Rules) -> str | None:
    """The policy that says the same; None when there are no rules. Raises InvalidArgument, MalformedPolicy."""
    if not rules:
        return None
    text = json.dumps({"Version": "2012-10-17", "Statement": [_statement(rule) for rule in rules]})
    read_identity_policy(text, "acl")
    return text


def _statement(rule: Rule) -> dict[str, Json]:
    effect, buckets, actions = _EFFECTS.get(str(rule["effect"]).lower()), rule["buckets"], rule["actions"]
    if effect is None:
        raise InvalidArgument("an effect is Allow or Deny")
    if not buckets or not actions:
        raise InvalidArgument("a rule names buckets and actions")
    wrong = [name for name in buckets if name != _ALL and not is_bucket_name(name)]
    if wrong:
        raise InvalidArgument(f"{wrong[0]!r} is no name of a bucket, and not *")
    names = ["s3:*" if name == _ALL else _NAMES.get(name, name) for name in actions]
    strange = [name for name in names if not name.startswith("s3:")]
    if strange:
        raise InvalidArgument(f"{strange[0]!r} is no action of S3, and not *")
    if _ALL in buckets:
        # Whoever may do everything administers; who is denied everything does not either.
        return {"Effect": effect, "Action": names + (["admin:*"] if _ALL in actions else []), "Resource": ["*"]}
    resources = [text for name in buckets for text in (f"{_ANY}{name}", f"{_ANY}{name}/*")]
    return {"Effect": effect, "Action": names, "Resource": resources}


def rules_of(text: str | None) -> list[dict[str, Json]] | None:
    """The rules of a policy; None when they cannot say what it says."""
    try:
        statements = [] if text is None else json.loads(text)["Statement"]
        rules = [_rule(statement) for statement in statements]
        same = [_statement(rule) for rule in rules] == statements
    except (KeyError, TypeError, InvalidArgument):
        return None
    return rules if same else None


def _rule(statement: Mapping[str, Any]) -> dict[str, Json]:
    names = {other: name for name, other in _NAMES.items()}
    found = [name.removeprefix(_ANY) for name in statement["Resource"]]
    return {
        "effect": statement["Effect"],
        "buckets": [name for name in found if not name.endswith("/*")],
        "actions": [
            _ALL if name == "s3:*" else names.get(name, name) for name in statement["Action"] if name != "admin:*"
        ],
    }

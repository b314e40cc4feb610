"""Policies and requests for tests: short ways to write them."""

import json
from typing import Any

from gecko_tw.callers.access.policies import Policy, Principal, RequestContext, read_bucket_policy, read_identity_policy

BUCKET = "photos"
NOW = 1_767_323_045.5
"""2026-01-02T03:04:05.5Z"""

ANN = Principal(account="main", user_name="ann", user_id="AIDANN", canonical_id="c-main", tags={"team": "red"})
BOB = Principal(account="main", user_name="bob", user_id="AIDBOB", canonical_id="c-main")
MAIN = Principal(account="main", canonical_id="c-main")
ALT = Principal(account="alt", canonical_id="c-alt")
EVE = Principal(account="alt", user_name="eve", user_id="AIDEVE", canonical_id="c-alt")
LOGGER = Principal(service="logging.s3.amazonaws.com")


def arn(path: str) -> str:
    """The ARN of ``BUCKET`` or ``BUCKET/KEY``."""
    return f"arn:aws:s3:::{path}"


def statement(**elements: Any) -> dict[str, Any]:
    """A statement that allows everybody everything in the bucket, with some elements replaced, or left out (None)."""
    usual = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn(BUCKET), arn(BUCKET + "/*")],
    }
    for name in ("Principal", "Action", "Resource"):
        if f"Not{name}" in elements:
            del usual[name]
    return {name: value for name, value in {**usual, **elements}.items() if value is not None}


def document(*statements: dict[str, Any], version: str = "2012-10-17", **elements: Any) -> str:
    """A policy of these statements."""
    return json.dumps({"Version": version, "Statement": list(statements), **elements})


def bucket_policy(*statements: dict[str, Any], version: str = "2012-10-17") -> Policy:
    """The same, read as the policy of the bucket."""
    return read_bucket_policy(document(*statements, version=version), BUCKET)


def identity_policy(*statements: dict[str, Any], version: str = "2012-10-17", name: str = "own") -> Policy:
    """The same without principals, read as a policy of a user."""
    bare = [{key: value for key, value in each.items() if key != "Principal"} for each in statements]
    return read_identity_policy(document(*bare, version=version), name)


def request(
    action: str = "GetObject", path: str = BUCKET + "/cat.jpg", who: Principal = ANN, **more: Any
) -> RequestContext:
    """A request: by default Ann gets an object. ``values`` and ``tags`` as in RequestContext."""
    more.setdefault("now", NOW)
    return RequestContext(principal=who, action=f"s3:{action}", resource=arn(path), **more)

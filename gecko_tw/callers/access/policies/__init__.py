"""Policies in the language of AWS's IAM: documents read and checked once, then held against requests. Pure.

``documents`` reads; ``decisions`` and ``accounts`` decide; ``public`` and ``explain`` tell about a policy.
"""

from gecko_tw.callers.access.policies.accounts import authorize
from gecko_tw.callers.access.policies.context import ANONYMOUS, Principal, RequestContext, resource_arn
from gecko_tw.callers.access.policies.decisions import Decision, decide, needed_keys
from gecko_tw.callers.access.policies.documents import (
    SIZE_LIMIT,
    Policy,
    check_principals,
    normal_form,
    read_bucket_policy,
    read_identity_policy,
    read_trust_policy,
)
from gecko_tw.callers.access.policies.explain import explain
from gecko_tw.callers.access.policies.public import is_public
from gecko_tw.callers.access.policies.refusals import MalformedPolicy

__all__ = [
    "ANONYMOUS",
    "SIZE_LIMIT",
    "Decision",
    "MalformedPolicy",
    "Policy",
    "Principal",
    "RequestContext",
    "authorize",
    "check_principals",
    "decide",
    "explain",
    "is_public",
    "needed_keys",
    "normal_form",
    "read_bucket_policy",
    "read_identity_policy",
    "read_trust_policy",
    "resource_arn",
]

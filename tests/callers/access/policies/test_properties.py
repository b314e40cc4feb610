"""What is true of all policies, found by trying many."""

import json
from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.access.policies import (
    ANONYMOUS,
    MalformedPolicy,
    Policy,
    Principal,
    authorize,
    decide,
    explain,
    is_public,
    needed_keys,
    normal_form,
    read_bucket_policy,
    read_identity_policy,
)
from gecko_tw.callers.access.policies.operators import OPERATORS
from tests.callers.access.policies.policing import (
    ALT,
    ANN,
    BUCKET,
    EVE,
    LOGGER,
    MAIN,
    arn,
    bucket_policy,
    document,
    request,
)

_WORDS = """
Allow Deny Effect Principal NotPrincipal Action NotAction Resource NotResource Condition Sid Id Version Statement * ? ${ }
    ${*} ${aws:username} ${aws:username,'x'} AWS CanonicalUser Service main arn:aws:iam::main:user/ann s3:* s3:GetObject
    arn:aws:s3:::photos arn:aws:s3:::photos/* 2012-10-17 StringLike Null ForAllValues:StringLike IpAddress aws:SourceIp
    s3:prefix 10.0.0.0/8 2001:db8::/32 true 7 1e9 -1 aGk= 2026-01-01T00:00:00Z : :::::
"""
WORDS = st.sampled_from(_WORDS.split())
TEXTS = WORDS | st.text(max_size=20) | st.builds("".join, st.lists(WORDS, max_size=4))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)

OPERATOR = st.builds(
    lambda quantifier, name, suffix: "Null" if name == "Null" else quantifier + name + suffix,
    st.sampled_from(["", "", "ForAnyValue:", "ForAllValues:"]),
    st.sampled_from([*OPERATORS, "Null"]),
    st.sampled_from(["", "", "IfExists"]),
)
KEY = st.sampled_from(
    [
        "s3:prefix",
        "aws:SourceIp",
        "aws:TagKeys",
        "aws:username",
        "aws:CurrentTime",
        "s3:ExistingObjectTag/a",
        "s3:max-keys",
    ]
)
VALUES = {
    "String": ["ann", "a*", "${aws:username}", "${aws:PrincipalTag/team, 'x'}", "${*}", ""],
    "Numeric": ["1", "10.5", "-3"],
    "Date": ["2026-01-01", "1767225600", "2026-01-01T00:00:00+05:00"],
    "Bool": ["true", "false"],
    "Null": ["true", "false"],
    "Binary": ["aGk=", ""],
    "IpAddress": ["10.0.0.0/8", "::/0", "192.0.2.1"],
    "NotIpAddress": ["10.0.0.0/8", "::1"],
    "Arn": ["*", "arn:aws:iam::main:user/*", "arn:aws:s3:::${aws:username}"],
}


@st.composite
def conditions(draw):
    """A valid Condition."""
    block: dict[str, dict[str, list[str]]] = {}
    for operator in draw(st.lists(OPERATOR, max_size=2)):
        bare = operator.partition(":")[2] or operator
        values = next(values for start, values in VALUES.items() if bare.startswith(start))
        block[operator] = {draw(KEY): draw(st.lists(st.sampled_from(values), min_size=1, max_size=2))}
    return block


PRINCIPAL = st.sampled_from(
    [
        "*",
        {"AWS": "*"},
        {"AWS": ["main"]},
        {"AWS": ["arn:aws:iam::main:user/ann", "arn:aws:iam::alt:root"]},
        {"CanonicalUser": "c-alt"},
        {"Service": "logging.s3.amazonaws.com"},
    ]
)
ACTION = st.sampled_from(["*", "s3:*", "s3:Get*", ["s3:*Object", "s3:ListBucket"], "s3:?et*"])
RESOURCE = st.sampled_from(
    [
        "*",
        [arn("photos"), arn("photos/*")],
        [arn("photos"), arn("photos/${aws:username}/*")],
        [arn("p*s"), arn("*/?*.jpg")],
    ]
)


@st.composite
def statements(draw, effects=("Allow", "Deny")):
    """A valid statement of a bucket policy."""
    found = {"Effect": draw(st.sampled_from(effects)), "Condition": draw(conditions())}
    negated = found["Effect"] == "Deny" and draw(st.booleans())
    found["NotPrincipal" if negated else "Principal"] = draw(PRINCIPAL)
    found["NotAction" if draw(st.integers(0, 3)) == 0 else "Action"] = draw(ACTION)
    found["NotResource" if draw(st.integers(0, 3)) == 0 else "Resource"] = draw(RESOURCE)
    return found


GIVEN = st.sampled_from(
    ["ann", "", "a*", "10.0.0.1", "::1", "7", "true", "2026-01-01", "hi", "arn:aws:iam::main:user/ann", "\udcff"]
)


@st.composite
def requests(draw):
    """Any request."""
    many = st.none() | GIVEN | st.lists(GIVEN, max_size=3)
    values = {key: draw(many) for key in ("s3:prefix", "aws:SourceIp", "aws:TagKeys", "s3:max-keys")}
    star = Principal(account="main", user_name="*")
    return request(
        draw(st.sampled_from(["GetObject", "ListBucket", "PutObject", "Unheard"])),
        draw(st.sampled_from([BUCKET, BUCKET + "/ann/x", BUCKET + "/cat.jpg", BUCKET + "/*/\udcff"])),
        draw(st.sampled_from([ANN, MAIN, ALT, EVE, LOGGER, ANONYMOUS, star])),
        values=values,
        tags={"s3:ExistingObjectTag": draw(st.dictionaries(st.sampled_from(["a", "A", "b"]), GIVEN, max_size=2))},
    )


def use(policy: Policy, context) -> None:
    """Everything that can be done with a policy."""
    decision = decide(context, [policy])
    assert explain(context, [policy])[1] == f"{'ALLOWED' if decision.allowed else 'DENIED'}: {decision.why}"
    assert not (decision.allowed and decision.explicit_deny)
    assert needed_keys([policy], context) <= needed_keys([policy])
    assert isinstance(is_public(policy), bool)
    authorize(context, [], policy, "main")


def read_or_refuse(text: str, context) -> None:
    for read in (read_bucket_policy, read_identity_policy):
        try:
            policy = read(text, BUCKET)
        except MalformedPolicy as refusal:
            assert refusal.message.isascii()
            continue
        use(policy, context)


@given(JSON, requests())
def test_any_json_is_read_or_refused(value, context):
    read_or_refuse(json.dumps(value), context)


@given(st.text() | st.binary(), requests())
def test_any_text_is_read_or_refused(value, context):
    read_or_refuse(value, context)


@st.composite
def mutations(draw):
    """A valid document with some parts replaced by anything."""
    value = {"Version": "2012-10-17", "Statement": [draw(statements())]}
    for _ in range(draw(st.integers(1, 3))):
        value = _mutated(draw, deepcopy(value))
    return value


def _mutated(draw, value):
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 5)) == 0:
        return draw(JSON)
    place = draw(st.sampled_from(sorted(value))) if isinstance(value, dict) else draw(st.integers(0, len(value) - 1))
    if isinstance(value, dict) and draw(st.integers(0, 5)) == 0:
        value[draw(TEXTS)] = value.pop(place)
    else:
        value[place] = _mutated(draw, value[place])
    return value


@given(mutations(), requests())
def test_a_valid_document_with_anything_in_it_is_read_or_refused(value, context):
    read_or_refuse(json.dumps(value), context)


@given(st.lists(statements(), min_size=1, max_size=3), requests())
def test_a_valid_document_can_be_used(parts, context):
    use(bucket_policy(*parts), context)


@given(st.lists(statements(), min_size=1, max_size=3), statements(("Deny",)), st.integers(0, 3), requests())
def test_one_deny_more_never_allows_more(parts, deny, place, context):
    before = bucket_policy(*parts)
    after = bucket_policy(*parts[:place], deny, *parts[place:])
    assert decide(context, [before]).allowed or not decide(context, [after]).allowed
    assert authorize(context, [], before, "main").allowed or not authorize(context, [], after, "main").allowed


@given(st.lists(statements(), min_size=1, max_size=3), statements(("Allow",)), requests())
def test_one_allow_more_never_denies_more(parts, allow, context):
    before, after = decide(context, [bucket_policy(*parts)]), decide(context, [bucket_policy(*parts, allow)])
    assert after.allowed or not before.allowed
    assert after.explicit_deny == before.explicit_deny


@given(st.permutations(range(3)), st.lists(statements(), min_size=3, max_size=3), requests())
def test_the_order_of_statements_means_nothing(order, parts, context):
    one, other = (
        decide(context, [bucket_policy(*parts)]),
        decide(context, [bucket_policy(*(parts[at] for at in order))]),
    )
    assert (one.allowed, one.explicit_deny, one.delegated) == (other.allowed, other.explicit_deny, other.delegated)


@given(st.lists(statements(), min_size=1, max_size=3), requests())
def test_the_normal_form_means_the_same(parts, context):
    policy = bucket_policy(*parts)
    again = read_bucket_policy(normal_form(policy), BUCKET)
    assert normal_form(again) == normal_form(policy)
    assert decide(context, [again]).allowed == decide(context, [policy]).allowed
    assert is_public(again) == is_public(policy)


@given(st.lists(statements(), min_size=1, max_size=2), requests())
def test_a_statement_that_is_about_a_request_may_concern_it_whatever_is_known(parts, context):
    unknown = request(context.action.removeprefix("s3:"), context.path, context.principal)
    for statement in bucket_policy(*parts).statements:
        if statement.match(context):
            assert statement.may_concern(unknown)


def test_the_whole_document_is_kept():
    text = document({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"})
    assert read_bucket_policy(text, BUCKET).text == text

"""What people are told about a decision."""

from gecko_tw.callers.access.policies import ANONYMOUS, explain
from tests.callers.access.policies.policing import BUCKET, arn, bucket_policy, identity_policy, request, statement


def test_every_statement_says_why_it_does_not_apply():
    policy = bucket_policy(
        statement(Sid="Writers", Action=["s3:PutObject", "s3:DeleteObject"], Principal={"AWS": "alt"}),
        statement(
            Resource=arn("photos/${aws:username}/*"),
            Action="s3:GetObject",
            Condition={"IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}, "StringEquals": {"aws:Referer": "x"}},
        ),
        statement(Principal={"AWS": "main"}),
    )
    assert explain(request(values={"aws:SourceIp": "192.0.2.1"}), [policy]) == [
        'arn:aws:iam::main:user/ann asks for s3:GetObject on "arn:aws:s3:::photos/cat.jpg"',
        "ALLOWED: allowed by statement 3 of the bucket policy of photos",
        "bucket policy of photos (2012-10-17)",
        '  statement 1 "Writers", Allow: does not apply',
        "    Principal is alt",
        "    Action is s3:PutObject, s3:DeleteObject",
        "  statement 2, Allow: does not apply",
        '    Resource is arn:aws:s3:::photos/${aws:username}/*, where aws:username is "ann"',
        '    IpAddress wants aws:SourceIp ["10.0.0.0/8"], but aws:SourceIp is "192.0.2.1"',
        '    StringEquals wants aws:Referer ["x"], but the request has no aws:Referer',
        "  statement 3, Allow: applies to the account: its users need a policy of their own as well",
    ]


def test_a_deny_is_named_among_several_policies():
    policies = [identity_policy(statement(), name="all"), bucket_policy(statement(Sid="Stop", Effect="Deny"))]
    lines = explain(request("ListBucket", BUCKET, ANONYMOUS), policies)
    assert lines[:2] == [
        'Anonymous asks for s3:ListBucket on "arn:aws:s3:::photos"',
        'DENIED: denied by statement 1 "Stop" of the bucket policy of photos',
    ]
    assert '  statement 1 "Stop", Deny: applies' in lines


def test_what_no_policy_is_about_is_denied_without_a_statement():
    assert explain(request(), [])[1] == "DENIED: no statement allows it"
    not_this = bucket_policy(statement(NotAction="s3:Get*"))
    assert explain(request(), [not_this])[-1] == "    NotAction is s3:Get*"

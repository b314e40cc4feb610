"""GetBucketLogging and PutBucketLogging: which bucket may take the log of which, and what comes back."""

import pytest

from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from tests.resources.accounts import ask, identity_policy, market, put_policy
from tests.resources.asking import shop

EMPTY = b"<BucketLoggingStatus/>"


def status(target="logs", prefix="p/", more=""):
    inside = f"<TargetBucket>{target}</TargetBucket><TargetPrefix>{prefix}</TargetPrefix>{more}"
    return f"<BucketLoggingStatus><LoggingEnabled>{inside}</LoggingEnabled></BucketLoggingStatus>".encode()


def key_format(inside):
    return f"<TargetObjectKeyFormat>{inside}</TargetObjectKeyFormat>"


def partitioned(source):
    return key_format(f"<PartitionedPrefix><PartitionDateSource>{source}</PartitionDateSource></PartitionedPrefix>")


def grant(who="<ID>alt</ID>", permission="READ"):
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"'
    one = f"<Grant><Grantee {xsi}>{who}</Grantee><Permission>{permission}</Permission></Grant>"
    return f"<TargetGrants>{one}</TargetGrants>"


@pytest.fixture
def there():
    there, _ = market()
    for name in ("photos", "logs"):
        ask(there, "main", "PUT", f"/{name}")
    return there


def refused(answer):
    return answer.status, answer.body.decode().partition("<Code>")[2].partition("</Code>")[0]


INVALID = (400, "InvalidTargetBucketForLogging")
MALFORMED = (400, "MalformedXML")


def test_without_a_configuration_the_status_is_empty(there):
    answer = ask(there, "main", "GET", "/photos?logging")
    assert answer.status == 200
    assert answer.body.endswith(
        b'<BucketLoggingStatus xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></BucketLoggingStatus>'
    )


@pytest.mark.parametrize(
    "more",
    [
        "",
        key_format("<SimplePrefix></SimplePrefix>"),
        partitioned("EventTime"),
        partitioned("DeliveryTime"),
    ],
)
def test_a_configuration_comes_back_and_an_empty_one_ends_it(there, more):
    assert ask(there, "main", "PUT", "/photos?logging", status(prefix="a&amp;/", more=more)).status == 200
    inside = status(prefix="a&amp;/", more=more).removeprefix(b"<BucketLoggingStatus>")
    assert inside in ask(there, "main", "GET", "/photos?logging").body
    assert ask(there, "main", "PUT", "/photos?logging", EMPTY).status == 200
    assert b"LoggingEnabled" not in ask(there, "main", "GET", "/photos?logging").body


def test_the_empty_prefix_is_one_and_the_bucket_itself_is_a_target(there):
    assert ask(there, "main", "PUT", "/photos?logging", status("photos", "")).status == 200
    assert b"<TargetPrefix></TargetPrefix>" in ask(there, "main", "GET", "/photos?logging").body


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<BucketLoggingStatus>",
        b"<Other/>",
        b"<BucketLoggingStatus><Other/></BucketLoggingStatus>",
        b"<BucketLoggingStatus><LoggingEnabled/></BucketLoggingStatus>",
        b"<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket></LoggingEnabled></BucketLoggingStatus>",
        status(more="<LoggingType>Journal</LoggingType>"),
        status(more=key_format("")),
        status(more=key_format("<SimplePrefix/><PartitionedPrefix/>")),
        status(more=partitioned("Yesterday")),
        status(more=grant(permission="READ_ACP")),
        status(more=grant(who="")),
    ],
)
def test_what_is_no_configuration_is_refused(there, document):
    assert refused(ask(there, "main", "PUT", "/photos?logging", document)) == MALFORMED
    assert b"LoggingEnabled" not in ask(there, "main", "GET", "/photos?logging").body


def test_the_target_must_exist(there):
    assert refused(ask(there, "main", "PUT", "/photos?logging", status("none"))) == INVALID
    assert refused(ask(there, "main", "PUT", "/photos?logging", status("no/bucket"))) == INVALID


def test_the_target_must_belong_to_the_same_account(there):
    ask(there, "alt", "PUT", "/foreign")
    assert refused(ask(there, "main", "PUT", "/photos?logging", status("foreign"))) == INVALID
    assert refused(ask(there, "root", "PUT", "/photos?logging", status("foreign"))) == INVALID


def test_the_target_must_be_in_the_same_region(there):
    place = b"<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>"
    ask(there, "main", "PUT", "/far", place)
    assert refused(ask(there, "main", "PUT", "/photos?logging", status("far"))) == (
        403,
        "CrossLocationLoggingProhibited",
    )
    assert ask(there, "main", "PUT", "/far?logging", status("far")).status == 200


def test_the_target_has_no_default_retention(there):
    ask(there, "main", "PUT", "/locked", x_amz_bucket_object_lock_enabled="true")
    assert ask(there, "main", "PUT", "/photos?logging", status("locked")).status == 200
    rule = b"<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>"
    lock = (
        b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>"
        + rule
        + b"</ObjectLockConfiguration>"
    )
    assert ask(there, "main", "PUT", "/locked?object-lock", lock).status == 200
    assert refused(ask(there, "main", "PUT", "/photos?logging", status("locked"))) == INVALID


def test_a_prefix_leaves_room_for_the_rest_of_a_key(there):
    assert ask(there, "main", "PUT", "/photos?logging", status(prefix="x" * 988)).status == 200
    assert refused(ask(there, "main", "PUT", "/photos?logging", status(prefix="x" * 989))) == (400, "KeyTooLongError")
    long = status(prefix="x" * 988, more=partitioned("EventTime"))
    assert refused(ask(there, "main", "PUT", "/photos?logging", long)) == (400, "KeyTooLongError")


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ({"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject"}, True),
        ({"Effect": "Allow", "Principal": {"AWS": "alt"}, "Action": "s3:PutObject"}, True),
        ({"Effect": "Deny", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject"}, False),
        ({"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs/other/*"}, True),
        ({"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs/p/*"}, False),
        ({"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, True),
        ({"Effect": "Deny", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::photos"}}}, False),
        ({"Effect": "Deny", "Condition": {"StringNotEquals": {"aws:SourceAccount": "main"}}}, True),
    ],
)
def test_the_policy_of_the_target_may_deny_and_need_not_allow(there, statement, allowed):
    assert put_policy(there, "logs", statement).status == 204
    answer = ask(there, "main", "PUT", "/photos?logging", status())
    assert answer.status == 200 if allowed else refused(answer) == INVALID


@pytest.mark.parametrize("permission", ["READ", "WRITE", "FULL_CONTROL"])
def test_grants_come_back_with_names(there, permission):
    assert ask(there, "main", "PUT", "/photos?logging", status(more=grant(permission=permission))).status == 200
    found = ask(there, "main", "GET", "/photos?logging").body.decode()
    assert "<ID>alt</ID><DisplayName>The alt</DisplayName>" in found
    assert f"<Permission>{permission}</Permission>" in found


def test_grants_name_somebody(there):
    answer = ask(there, "main", "PUT", "/photos?logging", status(more=grant(who="<ID>nobody</ID>")))
    assert refused(answer) == (400, "InvalidArgument")


def test_grants_are_refused_where_the_target_has_no_lists(there):
    ask(there, "main", "PUT", "/enforced", x_amz_object_ownership="BucketOwnerEnforced")
    answer = ask(there, "main", "PUT", "/photos?logging", status("enforced", more=grant()))
    assert refused(answer) == (400, "AccessControlListNotSupported")
    assert ask(there, "main", "PUT", "/photos?logging", status("enforced")).status == 200


def test_grants_are_forgotten_where_lists_are(there):
    there.service.acl = "ignore"
    assert ask(there, "main", "PUT", "/photos?logging", status(more=grant())).status == 200
    assert b"Grant" not in ask(there, "main", "GET", "/photos?logging").body


def test_only_who_may_changes_it(there):
    for who in ("alt", "bob", None):
        assert ask(there, who, "PUT", "/photos?logging", status()).status == 403
        assert ask(there, who, "GET", "/photos?logging").status == 403
    assert ask(there, "ann", "PUT", "/photos?logging", status()).status == 200
    assert ask(there, "ann", "PUT", "/missing?logging", status()).status == 404


def test_buckets_that_have_no_recorded_owner_belong_to_the_same_account():
    here = shop()
    here.ask("PUT", "/photos")
    record = here.service.buckets.get("photos")
    assert record.owner in ("", ROOT_ACCOUNT)
    assert here.ask("PUT", "/photos?logging", status("photos")).status == 200


def test_a_log_goes_only_where_its_sender_may_write(there):
    town = there.service.identities
    only = {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"]}
    town.change("bob", policies=(identity_policy(only),))
    assert refused(ask(there, "bob", "PUT", "/photos?logging", status())) == (403, "AccessDenied")
    town.change("bob", policies=(identity_policy(only, {**only, "Resource": "arn:aws:s3:::logs/p/*"}),))
    assert ask(there, "bob", "PUT", "/photos?logging", status()).status == 200


@pytest.mark.parametrize("document", [status(), EMPTY])
def test_a_log_is_its_buckets_owners_whatever_a_policy_allows(there, document):
    """Source: S3 API Reference, PutBucketLogging: "To set the logging status of a bucket, you must be the bucket owner."."""
    put_policy(
        there, "photos", {"Action": ["s3:PutBucketLogging", "s3:GetBucketLogging"], "Resource": "arn:aws:s3:::photos"}
    )
    assert ask(there, "main", "PUT", "/photos?logging", status()).status == 200
    for who in ("alt", "eve", None):
        assert refused(ask(there, who, "PUT", "/photos?logging", document)) == (403, "AccessDenied")
        assert refused(ask(there, who, "GET", "/photos?logging")) == (403, "AccessDenied")
    assert b"LoggingEnabled" in ask(there, "bob", "GET", "/photos?logging").body
    assert ask(there, "root", "PUT", "/photos?logging", EMPTY).status == 200

"""What the sessions may do that the Security Token Service begins."""

import json
import os

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest

from gecko_tw.callers.accounts.identities import User
from gecko_tw.callers.accounts.registry import KEY
from gecko_tw.callers.accounts.scopes import KeyScope
from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.callers.budgets.token_buckets import Budget
from gecko_tw.resources.gates.rate_limits import RateLimits
from tests.callers.signatures.signing import clock_of_botocore
from tests.resources.asking import NOW
from tests.resources.session_town import (
    ANN,
    MAIN,
    ROOT,
    Town,
    code,
    policy,
    refused,
)


@pytest.fixture
def town() -> Town:
    return Town()


def test_a_session_that_is_over_is_refused(town: Town) -> None:
    who = town.begin(DurationSeconds="900")
    town.there.clock.advance(899)
    assert code(town.ask(who, "GET", "/")) == "200"
    town.there.clock.advance(1)
    request = town.ask(who, "GET", "/")
    assert (request.status, code(request)) == (400, "ExpiredToken")
    assert refused(town.act("GetCallerIdentity", who)) == (400, "ExpiredToken")


def test_a_session_may_do_what_its_policy_and_its_user_allow(town: Town) -> None:
    assert code(town.ask(ANN, "PUT", "/photos")) == "200"
    assert code(town.ask(ANN, "PUT", "/photos/in/cat", b"meow")) == "200"
    who = town.begin(text=policy(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::photos/in/*"))
    assert town.ask(who, "GET", "/photos/in/cat").body == b"meow"
    assert code(town.ask(who, "PUT", "/photos/in/dog", b"woof")) == "200"
    for method, target in (
        ("PUT", "/photos/out"),
        ("DELETE", "/photos/in/cat"),
        ("GET", "/photos"),
        ("GET", "/"),
        ("PUT", "/more"),
    ):
        assert code(town.ask(who, method, target)) == "AccessDenied"
    town.registry.put_user(User(account="main", name="ann", policies={"no": policy("s3:*", effect="Deny")}))
    assert code(town.ask(who, "GET", "/photos/in/cat")) == "AccessDenied"


def test_a_session_policy_gives_nothing(town: Town) -> None:
    town.registry.put_user(User(account="main", name="ann", policies={"read": policy("s3:GetObject")}))
    who = town.begin(text=policy("s3:*"))
    assert code(town.ask(who, "PUT", "/photos")) == "AccessDenied"
    assert code(town.ask(town.begin(), "PUT", "/photos")) == "AccessDenied"
    assert code(town.ask(MAIN, "PUT", "/photos")) == "200"


def test_a_bucket_policy_does_not_lead_around_a_session_policy(town: Town) -> None:
    town.ask(MAIN, "PUT", "/photos")
    town.ask(MAIN, "PUT", "/photos/cat", b"meow")
    ann = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::main:user/ann"},
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::photos/*",
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [ann]})
    assert code(town.ask(MAIN, "PUT", "/photos?policy", text.encode())) == "204"
    who = town.begin(text=policy("s3:GetObject"))
    assert code(town.ask(who, "GET", "/photos/cat")) == "200"
    assert code(town.ask(who, "DELETE", "/photos/cat")) == "AccessDenied"


def test_the_superusers_session_takes_no_short_cut_around_its_policy(town: Town) -> None:
    for bucket in ("/photos", "/others"):
        town.ask(ROOT, "PUT", bucket)
        town.ask(ROOT, "PUT", bucket + "/cat", b"meow")
    town.ask(MAIN, "PUT", "/mains")
    town.ask(MAIN, "PUT", "/mains/cat", b"meow")
    assert code(town.ask(town.begin(ROOT), "GET", "/mains/cat")) == "200"
    who = town.begin(ROOT, policy("s3:*", ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"]))
    assert code(town.ask(who, "GET", "/photos/cat")) == "200"
    text = policy("s3:GetObject", "arn:aws:s3:::others/*").replace('"Effect"', '"Principal": "*", "Effect"').encode()
    for method, target, body in (
        ("GET", "/", b""),
        ("GET", "/others/cat", b""),
        ("HEAD", "/others", b""),
        ("PUT", "/new", b""),
        ("PUT", "/others/new", b"x"),
        ("DELETE", "/others", b""),
        ("GET", "/others?policy", b""),
        ("PUT", "/others?policy", text),
        ("DELETE", "/others?policy", b""),
        ("GET", "/mains/cat", b""),
    ):
        assert town.ask(who, method, target, body).status == 403, (method, target)
    batch = town.ask(who, "POST", "/others?delete", b"<Delete><Object><Key>cat</Key></Object></Delete>")
    assert batch.status == 403 or b"AccessDenied" in batch.body
    assert code(town.ask(ROOT, "GET", "/others/cat")) == "200"
    # Nor does it reach other accounts, whatever its policy says.
    assert code(town.ask(town.begin(ROOT, policy("s3:*")), "GET", "/mains/cat")) == "AccessDenied"


def test_a_copy_in_a_session_must_be_allowed_on_both_sides(town: Town) -> None:
    for key in ("in/cat", "out/dog"):
        town.ask(ANN, "PUT", "/photos")
        town.ask(ANN, "PUT", f"/photos/{key}", b"meow")
    who = town.begin(text=policy("s3:*", "arn:aws:s3:::photos/in/*"))

    def copy(source: str, target: str) -> str:
        request = AWSRequest(method="PUT", url="http://s3.test" + target, headers={"x-amz-copy-source": source})
        with clock_of_botocore(NOW):
            S3SigV4Auth(who, "s3", "us-east-1").add_auth(request)
        return code(town.there.ask("PUT", target, headers=dict(request.headers)))

    assert copy("/photos/in/cat", "/photos/in/two") == "200"
    assert copy("/photos/out/dog", "/photos/in/two") == "AccessDenied"
    assert copy("/photos/in/cat", "/photos/out/two") == "AccessDenied"


def test_a_revoked_key_takes_its_sessions_with_it(town: Town) -> None:
    who = town.begin()
    assert code(town.ask(who, "GET", "/")) == "200"
    town.change_key(scope=KeyScope(actions=("object:get",)))
    assert code(town.ask(who, "GET", "/")) == "AccessDenied"
    town.registry.remove(KEY, "annkey")
    request = town.ask(who, "GET", "/")
    assert (request.status, code(request)) == (400, "InvalidToken")
    assert refused(town.act("GetCallerIdentity", who)) == (403, "InvalidClientTokenId")


def test_sessions_spend_the_budget_of_the_key_that_they_stand_for(town: Town) -> None:
    tally, clock = Tally(), town.there.clock
    town.there.service.limits = RateLimits(tally, 1, clock.seconds, key=Budget(rate=0.01, burst=4.0))
    first, second = town.begin(), town.begin()
    assert [code(town.ask(who, "GET", "/")) for who in (first, second, ANN, first)] == [
        "200",
        "200",
        "SlowDown",
        "SlowDown",
    ]
    answer = town.act("GetCallerIdentity")
    assert refused(answer) == (503, "SlowDown") and answer.header("retry-after") is not None
    assert code(town.ask(MAIN, "GET", "/")) == "200"
    os.close(tally.fileno)

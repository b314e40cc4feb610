"""What Prometheus scrapes with a token of ``mc admin prometheus generate``, and who may."""

import json
import warnings
from typing import Any

import jwt
import pytest

from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from tests.admin.desk import ROOT, SECRET
from tests.admin.minio.minio_desk import MinioDesk, minio_desk
from tests.resources.asking import NOW, FakeRequest

CLUSTER = "/minio/v2/metrics/cluster"


def token(secret: str = SECRET, algorithm: str | None = "HS512", **claims: Any) -> str:
    """As mc makes it."""
    given = {"exp": NOW + 3600, "sub": ROOT, "iss": "prometheus"} | claims
    kept = {name: value for name, value in given.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # secrets of access keys are shorter than PyJWT recommends
        return jwt.encode(kept, secret if algorithm else None, algorithm or "none")


def scrape(there: MinioDesk, given: str | None, target: str = CLUSTER, method: str = "GET") -> FakeRequest:
    more = {} if given is None else {"authorization": f"Bearer {given}"}
    return there.desk.ask(method, target, who=None, **more)


def test_a_token_of_an_access_key_tells_what_the_store_holds() -> None:
    there = minio_desk()
    reply = scrape(there, token())
    assert (reply.status, reply.header("content-type")) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b"minio_cluster_bucket_total 2.0" in reply.body
    assert b"minio_cluster_usage_total_bytes 4.0" in reply.body
    assert (
        b'minio_bucket_usage_object_total{bucket="photos"} 1.0'
        in scrape(there, token(), "/minio/v2/metrics/bucket").body
    )
    assert scrape(there, token(), "/minio/v2/metrics/node").body == b"node\n"


@pytest.mark.parametrize("algorithm", ("HS256", "HS384", "HS512"))
def test_each_algorithm_that_minio_takes_is_taken(algorithm: str) -> None:
    assert scrape(minio_desk(), token(algorithm=algorithm)).status == 200


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (None, "AccessDenied"),
        ("", "AccessDenied"),
        ("no.token", "AccessDenied"),
        (token(secret="guessed"), "AccessDenied"),
        (token(algorithm=None), "AccessDenied"),
        (token(iss="somebody"), "AccessDenied"),
        (token(iss=None), "AccessDenied"),
        (token(exp=None), "AccessDenied"),
        (token(sub=None), "InvalidAccessKeyId"),
        (token(sub="nobody"), "InvalidAccessKeyId"),
        (token(exp=NOW - 1), "ExpiredToken"),
        (token(sub="annkey", secret="secret-of-annkey"), "InvalidAccessKeyId"),
        (token(sub="ann", secret="secret-of-ann"), "AccessDenied"),
    ],
)
def test_whoever_has_no_good_token_is_refused(given: str | None, code: str) -> None:
    there = minio_desk()
    for target in (CLUSTER, "/minio/v2/metrics/node", "/minio/v2/metrics/bucket"):
        reply = scrape(there, given, target)
        assert (reply.status, json.loads(reply.body)["Code"]) == (400 if code == "ExpiredToken" else 403, code)
        assert b"minio_" not in reply.body


def test_a_user_scrapes_whom_a_policy_allows_it_until_it_is_disabled() -> None:
    there = minio_desk()
    there.values("AttachPolicy", {"policies": ["diagnostics"], "user": "ann"})
    given = token(sub="ann", secret="secret-of-ann")
    assert scrape(there, given).status == 200
    there.values("SetUserStatus", accessKey="ann", status="disabled")
    assert scrape(there, given).status == 403


def test_an_expired_key_scrapes_nothing() -> None:
    there = minio_desk()
    there.desk.settle("ending", ROOT_ACCOUNT, "scraper", "admin:Prometheus", expires=NOW + 60.0)
    given = token(sub="ending", secret="secret-of-ending")
    assert scrape(there, given).status == 200
    there.desk.clock.advance(61)
    assert scrape(there, given).status == 400


def test_whoever_guesses_waits_longer_and_longer() -> None:
    there = minio_desk()
    answered = [
        there.desk.send("GET", CLUSTER, who=None, authorization=f"Bearer {token(secret=str(n))}") for n in range(12)
    ]
    assert answered[0].finished == 1 and answered[-1].finished == 0
    there.desk.clock.pump([1.0] * 60)
    assert all(reply.finished == 1 and reply.status == 403 for reply in answered)


def test_everybody_scrapes_where_a_setting_says_so() -> None:
    there = minio_desk(metrics="public")
    assert scrape(there, None).status == 200
    assert scrape(there, None, method="HEAD").status == 200
    assert scrape(there, None, method="POST").status == 405


def test_what_is_kept_of_requests_is_told_to_whoever_traces() -> None:
    there = minio_desk()
    there.desk.ask("GET", "/photos/cat?versionId=null", who=ROOT)
    reply = there.ask("Trace", s3="true")
    there.desk.ask("PUT", "/photos/dog", b"woof", who=ROOT, content_type=None)
    there.desk.ask("GET", "/photos/nothing", who=ROOT)
    there.desk.clock.pump([0.5, 0.5])
    found = [json.loads(line) for line in reply.body.splitlines() if line.strip()]
    assert [(one["funcname"], one["http"]["response"]["statuscode"]) for one in found] == [
        ("s3.PutObject", 200),
        ("s3.GetObject", 404),
    ]
    assert (found[0]["path"], found[0]["type"], found[0]["http"]["stats"]["inputbytes"]) == ("/photos/dog", 4, 4)
    reply.leave()


def test_a_trace_of_errors_tells_of_nothing_else() -> None:
    there = minio_desk()
    reply, silent = there.ask("Trace", s3="true", err="true", threshold="0s"), there.ask("Trace", storage="true")
    there.desk.ask("GET", "/photos/cat", who=ROOT)
    there.desk.ask("GET", "/photos/nothing", who=ROOT)
    there.desk.clock.pump([0.5, 0.5])
    assert reply.body.count(b"funcname") == 1
    assert b"funcname" not in silent.body
    reply.leave()
    silent.leave()
    assert there.code(there.ask("Trace", s3="true", threshold="soon")) == (400, "InvalidArgument")

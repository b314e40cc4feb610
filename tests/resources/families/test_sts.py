"""The Security Token Service: what its actions answer and refuse, in its own form."""

import os
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from gecko_tw.admin.metering import Metrics
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, User
from gecko_tw.callers.accounts.sealing import Sealer
from gecko_tw.callers.accounts.sessions import Sessions
from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.metrics.counters import counters_file
from gecko_tw.resources.access_logs.entries import AccessEntry
from gecko_tw.resources.dispatch.families import built_in
from gecko_tw.resources.families.sts import LONGEST_POLICY
from gecko_tw.resources.gates.logins import LOGIN_BUDGET, Logins
from tests.callers.signatures.signing import clock_of_botocore
from tests.resources.asking import NOW, shop
from tests.resources.session_town import (
    ANN,
    MAIN,
    NAMESPACE,
    ROLE,
    ROOT,
    Town,
    code,
    credentials_of,
    document,
    policy,
    refused,
)


@pytest.fixture
def town() -> Town:
    return Town()


def test_a_session_is_answered_as_aws_does(town: Town) -> None:
    answer = town.act("AssumeRole", **ROLE, Policy=policy("s3:GetObject"), DurationSeconds="900", ExternalId="us")
    root = document(answer)
    assert root.tag == f"{NAMESPACE}AssumeRoleResponse"
    assert [child.tag for child in root] == [f"{NAMESPACE}AssumeRoleResult", f"{NAMESPACE}ResponseMetadata"]
    result = {child.tag.removeprefix(NAMESPACE): child.text for child in root.iter()}
    assert result["Arn"] == "arn:aws:iam::main:user/ann" and result["AssumedRoleId"] == "main:ann:work"
    assert result["Expiration"] == "2026-11-21T03:15:00.000Z"
    assert 0 < int(result["PackedPolicySize"]) <= 100
    assert result["RequestId"] == answer.header("x-amz-request-id")
    assert credentials_of(answer).access_key.startswith("ASIA")
    for arn in ("arn:aws:iam:::role/any", "arn:xxx:xxx:xxx:xxxx"):
        assert town.act("AssumeRole", RoleArn=arn).status == 200


def test_a_session_lasts_as_long_as_asked_but_no_longer_than_the_key(town: Town) -> None:
    for action, seconds, expected in (
        ("AssumeRole", None, 3600),
        ("AssumeRole", 43_200, 43_200),
        ("GetSessionToken", None, 43_200),
        ("GetSessionToken", 129_600, 129_600),
    ):
        given = {} if seconds is None else {"DurationSeconds": str(seconds)}
        who = credentials_of(town.act(action, **given))
        found = town.there.service.sessions.open(who.access_key, who.token)
        assert found is not None and found.expires == NOW + expected
    town.change_key(expires=NOW + 30.0)
    who = town.begin(DurationSeconds="900")
    assert code(town.ask(who, "GET", "/")) == "200"
    town.there.clock.advance(31)
    assert code(town.ask(who, "GET", "/")) == "ExpiredToken"


def test_everybody_is_told_who_they_are(town: Town) -> None:
    def told(who: Credentials) -> tuple[str, ...]:
        root = document(town.act("GetCallerIdentity", who))
        assert root.tag == f"{NAMESPACE}GetCallerIdentityResponse"
        return tuple(str(child.text) for child in root[0])

    assert told(ANN) == ("arn:aws:iam::main:user/ann", "main:ann", "main")
    assert told(town.begin()) == ("arn:aws:iam::main:user/ann", "main:ann:work", "main")
    assert told(credentials_of(town.act("GetSessionToken"))) == told(ANN)
    assert told(MAIN) == ("arn:aws:iam::main:root", "main", "main")
    assert told(ROOT) == (f"arn:aws:iam::{ROOT_ACCOUNT}:root", ROOT_ACCOUNT, ROOT_ACCOUNT)


@pytest.mark.parametrize("action", ["AssumeRole", "GetSessionToken"])
def test_a_session_begins_no_other(town: Town, action: str) -> None:
    for who in (town.begin(), town.begin(ROOT), town.begin(ROOT, policy("s3:*"))):
        assert refused(town.act(action, who)) == (403, "AccessDenied")


BAD: list[tuple[str, dict[str, str], tuple[int, str]]] = [
    ("AssumeRole", {**ROLE, "DurationSeconds": "899"}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "DurationSeconds": "43201"}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "DurationSeconds": "-900"}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "DurationSeconds": ""}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "DurationSeconds": "٩٠٠٠"}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "DurationSeconds": "9" * 5000}, (400, "ValidationError")),
    ("GetSessionToken", {"DurationSeconds": "129601"}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "RoleSessionName": "a"}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "RoleSessionName": "a b"}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "RoleSessionName": "work\n"}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "RoleSessionName": "ä" * 3}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "RoleSessionName": "a" * 65}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "RoleArn": "admin"}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "RoleArn": "arn:aws:iam::main:user/ann"}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "RoleArn": "arn:aws:iam::main:role/"}, (400, "ValidationError")),
    ("AssumeRole", {**ROLE, "RoleArn": "arn:aws:iam::other:role/any"}, (403, "AccessDenied")),
    ("AssumeRole", {**ROLE, "Policy": ""}, (400, "MalformedPolicyDocument")),
    ("AssumeRole", {**ROLE, "Policy": "{}"}, (400, "MalformedPolicyDocument")),
    ("AssumeRole", {**ROLE, "Policy": policy("s3:Nothing")}, (400, "MalformedPolicyDocument")),
    ("AssumeRole", {**ROLE, "Policy": policy("s3:*") + " " * LONGEST_POLICY}, (400, "PackedPolicyTooLarge")),
    ("AssumeRole", {**ROLE, "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/x"}, (501, "NotImplemented")),
    ("AssumeRole", {**ROLE, "SerialNumber": "1", "TokenCode": "1"}, (501, "NotImplemented")),
    ("AssumeRole", {**ROLE, "Tags.member.1.Key": "a"}, (501, "NotImplemented")),
    ("GetSessionToken", {"SerialNumber": "1", "TokenCode": "123456"}, (501, "NotImplemented")),
    ("GetSessionToken", {"Policy": policy("s3:GetObject")}, (501, "NotImplemented")),
    ("GetCallerIdentity", {"A" * 1000: "1"}, (501, "NotImplemented")),
    ("AssumeRoleWithSAML", {**ROLE, "WebIdentityToken": "x"}, (501, "NotImplemented")),
    ("AssumeRoleWithSAML", {}, (501, "NotImplemented")),
    ("GetFederationToken", {"Name": "bob"}, (501, "NotImplemented")),
    ("Nothing", {}, (400, "InvalidAction")),
    ("", {}, (400, "InvalidAction")),
    ("A\x00<&>" * 1000, {}, (400, "InvalidAction")),
    ("GetCallerIdentity", {"Version": "2010-05-08"}, (400, "InvalidAction")),
]


@pytest.mark.parametrize(
    ("action", "parameters", "expected"), BAD, ids=[f"{one[0][:30]} {n}" for n, one in enumerate(BAD)]
)
def test_what_cannot_be_done_is_refused_in_the_services_own_form(
    town: Town, action: str, parameters: Mapping[str, str], expected: tuple[int, str]
) -> None:
    answer = town.act(action, **parameters)
    assert refused(answer) == expected
    assert len(answer.body) < 3000
    assert len(town.there.log[-1].error) < 3000


def test_a_policy_may_be_as_long_as_it_may_be(town: Town) -> None:
    text = policy("s3:*")
    who = town.begin(text=text + " " * (LONGEST_POLICY - len(text)))
    assert code(town.ask(who, "PUT", "/photos")) == "200"
    quotes = policy("s3:*", ['arn:aws:s3:::"' + '"' * 500 + "*"])
    assert len(town.begin(text=quotes).token) < 8 * 1024


@pytest.mark.parametrize(
    "body",
    [
        b"\xff=1",
        b"Action=%FF",
        b"a=1&" * 300,
        b"Action=GetCallerIdentity&Action=AssumeRole",
        b"Action=a&Version=1&Version=1",
    ],
)
def test_what_is_no_form_or_has_a_parameter_twice_is_refused(town: Town, body: bytes) -> None:
    assert refused(town.post(body)) == (400, "ValidationError")


def test_an_empty_form_names_no_action(town: Town) -> None:
    assert refused(town.post(b"")) == (400, "InvalidAction")


def test_a_form_that_is_too_long_is_refused(town: Town) -> None:
    assert refused(town.post(b"a=" + b"x" * 70_000)) == (400, "MaxMessageLengthExceeded")


@pytest.mark.parametrize("action", ["AssumeRole", "GetSessionToken", "GetCallerIdentity"])
def test_nobody_gets_nothing(town: Town, action: str) -> None:
    assert refused(town.act(action, None)) == (403, "MissingAuthenticationToken")


def test_who_does_not_prove_who_they_are_is_refused_in_the_services_own_form(town: Town) -> None:
    form = urlencode({"Action": "GetCallerIdentity", "Version": "2011-06-15"})
    session = town.begin()
    for who, expected in (
        (Credentials("annkey", "wrong"), (403, "SignatureDoesNotMatch")),
        (Credentials("nobody", "x"), (403, "InvalidClientTokenId")),
        (Credentials(session.access_key, session.secret_key), (403, "InvalidClientTokenId")),
        (Credentials("annkey", "annsecret", session.token), (403, "InvalidClientTokenId")),
        (Credentials(session.access_key, session.secret_key, "x"), (403, "InvalidClientTokenId")),
    ):
        answer = town.post(form, who)
        assert refused(answer) == expected
        told = answer.body.decode() + town.there.log[-1].error
        assert not [one for one in (session.secret_key, session.token, "annsecret") if one in told]
    assert refused(town.post(form, ANN, "s3")) == (400, "IncompleteSignature")
    assert refused(town.post(form, ANN, sent=form.replace("GetCaller", "SetCaller").encode())) == (
        403,
        "SignatureDoesNotMatch",
    )
    headers = {"authorization": "Bearer annkey:annsecret"}
    assert refused(town.there.ask("POST", "/", form.encode(), headers=headers)) == (400, "ValidationError")


def test_an_old_request_is_refused(town: Town) -> None:
    raw = urlencode({"Action": "GetCallerIdentity", "Version": "2011-06-15"}).encode()
    request = AWSRequest(method="POST", url="http://s3.test/", data=raw)
    with clock_of_botocore(NOW - 1000):
        SigV4Auth(ANN, "sts", "us-east-1").add_auth(request)
    assert refused(town.there.ask("POST", "/", raw, headers=dict(request.headers))) == (403, "SignatureDoesNotMatch")


def test_while_authentication_is_switched_off_everybody_is_the_owner_and_nobody_has_sessions() -> None:
    there = shop()
    there.service.sessions = Sessions(Sealer(bytes(32)))
    ask = "Version=2011-06-15&Action="
    told = document(there.ask("POST", "/", (ask + "GetCallerIdentity").encode()))
    assert told.findtext(f"*/{NAMESPACE}Account") == ROOT_ACCOUNT
    assert refused(there.ask("POST", "/", (ask + "AssumeRole").encode())) == (403, "AccessDenied")
    there.service.sessions = None
    assert refused(there.ask("POST", "/", (ask + "GetSessionToken").encode())) == (501, "NotImplemented")


def test_guessing_tokens_and_secrets_makes_the_guesser_wait(town: Town) -> None:
    tally, who = Tally(), town.begin()
    town.there.service.logins = Logins(tally, town.there.clock)
    for guess in ("x", who.token + "A"):
        for _ in range(int(LOGIN_BUDGET.burst)):
            town.act("GetCallerIdentity", Credentials(who.access_key, who.secret_key, guess))
        held = town.act("GetCallerIdentity", Credentials(who.access_key, who.secret_key, guess))
        assert not held.finished
        town.there.clock.advance(30)
        assert refused(held) == (403, "InvalidClientTokenId")
        assert town.act("GetCallerIdentity", who).status == 200
    os.close(tally.fileno)


def test_the_log_tells_who_began_a_session_and_no_secret(town: Town) -> None:
    lines: list[str] = []

    def watch(event: LogEvent) -> None:
        lines.append(formatEvent(event))

    globalLogPublisher.addObserver(watch)
    try:
        who = town.begin(text=policy("s3:GetObject"))
    finally:
        globalLogPublisher.removeObserver(watch)
    (line,) = lines
    assert who.access_key in line and "annkey" in line and "user/ann" in line and "with a policy" in line
    assert who.secret_key not in line and who.token not in line
    entry = town.there.log[-1]
    assert (entry.operation, entry.status, entry.error) == ("AssumeRole", 200, "")


def test_who_is_denied_sessions_begins_none_of_its_own_either(town: Town) -> None:
    town.registry.put_user(User(account="main", name="ann", policies={"no": policy("sts:AssumeRole", effect="Deny")}))
    assert refused(town.act("AssumeRole", ANN, RoleSessionName="work")) == (403, "AccessDenied")
    assert refused(town.act("AssumeRole", ANN, **ROLE)) == (403, "AccessDenied")
    # As at AWS: no policy decides about these two.
    assert town.act("GetSessionToken", ANN).status == town.act("GetCallerIdentity", ANN).status == 200


def test_every_action_is_a_row_that_logs_and_metrics_name() -> None:
    table = built_in()
    for name in ("AssumeRole", "AssumeRoleWithWebIdentity", "GetSessionToken", "GetCallerIdentity"):
        row = table.action(name)
        assert row is not None and (row.service, row.needs) == ("sts", f"sts:{name}")
    metrics = Metrics((counters_file(1), 0), table)
    metrics.count(AccessEntry(NOW, 0.1, "ID", "POST", b"/", 200, 10, "", "AssumeRole"))
    assert [row.operation for row in metrics.counters.rows()] == ["AssumeRole"]

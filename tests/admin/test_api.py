"""The admin API as a whole: who is believed, how questions are understood, how refusals are told."""

import json
from hashlib import sha256
from typing import Any

import pytest

from gecko_tw.admin.table import ROWS
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from gecko_tw.callers.accounts.scopes import KeyScope
from gecko_tw.callers.accounts.sealing import Sealer
from gecko_tw.callers.accounts.sessions import Sessions
from gecko_tw.callers.signatures.v4 import iso_date
from gecko_tw.resources.gates.logins import LOGIN_BUDGET
from gecko_tw.wire.head import head_of
from tests.admin.desk import ROOT, SECRET, Desk, desk
from tests.end_to_end.matrix.signing import Asked, Signer
from tests.resources.asking import NOW, FakeRequest

ADMIN = ("Allow", "admin:*")


def told(reply: FakeRequest) -> tuple[int, str, str]:
    values = json.loads(reply.body)
    assert set(values) == {"code", "message", "requestId"}
    assert values["requestId"] == reply.header("x-amz-request-id")
    return reply.status, values["code"], values["message"]


def signed(there: Desk, method: str, target: str, body: bytes = b"", *, presigned: bool = False) -> FakeRequest:
    """A request that is signed with the settings' pair, in its headers or in its query."""
    path, _, query = target.partition("?")
    asked = Asked(method=method, path=path, query=dict(pair.split("=") for pair in query.split("&") if pair), body=body)
    signer = Signer("admin.test:9001", "us-east-1", iso_date(NOW))
    made = (signer.presigned if presigned else signer.header)(asked, (ROOT, SECRET))
    headers = {name.replace("-", "_"): value for name, value in made.headers.items()}
    return there.ask(method, made.target, body, None, **headers)


def test_a_signature_of_version_4_is_believed() -> None:
    there = desk()
    assert signed(there, "GET", "/api/v1/server").status == 200
    assert signed(there, "GET", "/api/v1/users?account=main").status == 200
    assert signed(there, "POST", "/api/v1/users", b'{"name":"zoe"}').status == 201
    assert there.ground.registry.user(ROOT_ACCOUNT, "zoe") is not None


def test_a_body_that_was_not_signed_is_refused() -> None:
    there = desk()
    headers = {"authorization": "", "x-amz-content-sha256": sha256(b"{}").hexdigest()}
    asked = Asked(method="POST", path="/api/v1/users", body=b'{"name":"zoe"}')
    made = Signer("admin.test:9001", "us-east-1", iso_date(NOW)).header(asked, (ROOT, SECRET))
    headers = {name.replace("-", "_"): value for name, value in made.headers.items()}
    reply = there.ask("POST", "/api/v1/users", b'{"name":"eve"}', None, **headers)
    assert told(reply)[:2] == (400, "XAmzContentSHA256Mismatch")
    assert there.ground.registry.user(ROOT_ACCOUNT, "eve") is None


def test_the_presigned_url_of_an_object_gives_nothing_away_here() -> None:
    # Of an object v1/accounts in a bucket named api: whoever has it says which host it asks.
    reply = signed(desk(), "GET", "/api/v1/accounts", presigned=True)
    assert told(reply)[:2] == (403, "AccessDenied")


def test_signatures_of_version_2_are_not_believed() -> None:
    reply = desk().ask(
        "GET", "/api/v1/server", None, None, authorization="AWS geckoadmin:c2ln", x_amz_date=iso_date(NOW)
    )
    assert reply.status == 403


def test_who_fails_again_and_again_waits_longer_and_longer() -> None:
    there = desk()
    for _ in range(int(LOGIN_BUDGET.burst)):
        reply = there.ask("GET", "/api/v1/server", None, None, authorization=f"Bearer {ROOT}:guess")
        assert told(reply)[:2] == (403, "AccessDenied")
    slowed = there.send("GET", "/api/v1/server", None, None, authorization=f"Bearer {ROOT}:guess")
    assert slowed.finished == 0
    there.clock.advance(5.0)
    assert slowed.finished == 1


def test_with_authentication_off_everybody_is_answered() -> None:
    there = desk(auth=False)
    assert there.ask("GET", "/api/v1/server", who=None).status == 200
    assert there.ask("DELETE", "/api/v1/keys/annkey", who=None).status == 204
    assert "authentication is off" in there.audited[-1]


def test_a_session_may_do_what_its_policy_says() -> None:
    there = desk()
    sessions, parent = Sessions(Sealer(b"k" * 32)), there.ground.identities.find(ROOT)
    assert parent is not None
    policy = json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "admin:ServerInfo", "Resource": "*"}}
    )
    for text, status in ((policy, 200), (policy.replace("admin:ServerInfo", "s3:*"), 403)):
        pair = sessions.issue(parent, text, 900, "s", NOW)
        bearer = f"Bearer {pair.access_key}:{pair.secret}"
        reply = there.ask("GET", "/api/v1/server", None, None, authorization=bearer, x_amz_security_token=pair.token)
        assert reply.status == status


def test_a_deny_beats_what_is_allowed() -> None:
    there = desk()
    registry = there.ground.registry
    there.settle("dan", ROOT_ACCOUNT, "dan", "admin:*")
    deny = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "admin:Remove*", "Resource": "*"}}
    there.values("PUT", f"/api/v1/users/{ROOT_ACCOUNT}/dan/policies/no", deny)
    assert registry.user(ROOT_ACCOUNT, "dan").policies.keys() == {"p", "no"}  # type: ignore[union-attr]
    assert there.ask("DELETE", "/api/v1/keys/annkey", who="dan").status == 403
    assert there.ask("GET", "/api/v1/keys/annkey", who="dan").status == 200


@pytest.mark.parametrize("body", [{}, {"account": ROOT_ACCOUNT}, {"account": ROOT_ACCOUNT, "buckets": ["photos"]}])
def test_only_who_is_the_account_of_the_settings_makes_a_key_of_it(body: dict[str, Any]) -> None:
    there = desk()
    there.settle("dan", ROOT_ACCOUNT, "dan", "admin:*")
    there.settle("limited", ROOT_ACCOUNT, scope=KeyScope(actions=("admin:*",)))
    there.settle("whole", ROOT_ACCOUNT)
    assert [there.ask("POST", "/api/v1/keys", body, who=who).status for who in ("dan", "limited", "whole", ROOT)] == [
        403,
        403,
        201,
        201,
    ]
    assert there.ask("PATCH", "/api/v1/keys/limited", {"scope": None}, who="dan").status == 403
    assert there.ask("PATCH", "/api/v1/keys/limited", {"enabled": False}, who="dan").status == 403
    assert there.ask("POST", "/api/v1/keys", {"user": "dan"}, who="dan").status == 201


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/", 404),
        ("GET", "/users/", 404),
        ("GET", "/users/a", 404),
        ("GET", "/users/a/b/c", 404),
        ("GET", "/users//ann", 404),
        ("GET", "/users/main/nobody", 404),
        ("GET", "/buckets/NoName", 400),
        ("GET", "/buckets/none", 404),
        ("GET", "/keys/%ff", 400),
        ("GET", "/users?accounts=x", 400),
        ("GET", "/users?account=", 400),
        ("GET", "/buckets?limit=0", 400),
        ("GET", "/buckets?limit=many", 400),
        ("GET", "/requests?failed=yes", 400),
        ("DELETE", "/uploads/photos/u1", 400),
        ("DELETE", "/uploads/photos/u2?key=large", 404),
        ("POST", "/server/jobs/fly/run", 404),
    ],
)
def test_what_is_not_there_or_not_allowed_is_told_in_json(method: str, path: str, status: int) -> None:
    assert told(desk().ask(method, f"/api/v1{path}"))[0] == status


def test_the_wrong_method_is_told_with_the_right_ones() -> None:
    there = desk()
    for path, allowed in (
        ("/users", "GET, HEAD, POST"),
        ("/users/main/ann", "DELETE, GET, HEAD, PATCH"),
        ("/presign", "POST"),
    ):
        reply = there.ask("PUT", f"/api/v1{path}")
        assert (told(reply)[:2], reply.header("allow")) == ((405, "MethodNotAllowed"), allowed)


def test_head_is_answered_as_get_without_a_body() -> None:
    for path in ("/server", "/requests/stream"):
        reply = desk().ask("HEAD", f"/api/v1{path}")
        assert (reply.status, reply.body) == (200, b"")


def test_a_body_of_more_than_a_mebibyte_is_refused() -> None:
    reply = desk().ask("POST", "/api/v1/users", b" " * (1024 * 1024 + 1))
    assert told(reply)[:2] == (413, "MaxMessageLengthExceeded")


def test_a_body_of_another_kind_is_refused() -> None:
    reply = desk().ask("POST", "/api/v1/users", b'{"name":"zoe"}', content_type="text/plain")
    assert told(reply)[:2] == (415, "UnsupportedMediaType")
    assert (
        desk().ask("POST", "/api/v1/users", b'{"name":"zoe"}', content_type="application/json; charset=utf-8").status
        == 201
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "body: needed are the members name"),
        ({"name": "a", "nome": "b"}, "body: allowed are the members account, name, groups"),
        ({"name": ""}, "body.name: allowed is a text of 1 to 128 characters"),
        ({"name": "a", "groups": [1]}, "body.groups[0]: allowed is a text of 1 to 128 characters"),
        ({"name": "a", "groups": "readers"}, "body.groups: allowed is a list of at most 100 items"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_allowed(body: dict[str, Any], message: str) -> None:
    assert told(desk().ask("POST", "/api/v1/users", body)) == (400, "InvalidArgument", message)


def test_a_wrong_secret_is_not_repeated() -> None:
    there = desk()
    reply = there.ask("POST", "/api/v1/keys", {"user": "x", "secret": ["hush"]})
    assert reply.status == 400 and b"hush" not in reply.body
    assert "hush" not in "".join(there.audited) + str([entry.error for entry in there.log])


def test_settings_are_shown_without_what_is_secret_in_them() -> None:
    there = desk()
    shown = there.values("GET", "/api/v1/server/settings")
    assert shown["secret-key"]["value"] is shown["encryption-key"]["value"] is None
    assert shown["webhook"]["value"] == ["hook=http://hooks.test"]
    text = json.dumps([shown, there.values("GET", "/api/v1/events")])
    assert SECRET not in text and "pass" not in json.dumps(shown["webhook"]) and "hidden" not in text


def test_a_presigned_url_is_the_callers_own() -> None:
    there = desk()
    made = there.values("POST", "/api/v1/presign", {"method": "GET", "bucket": "photos", "key": "a b/ü~"}, who="annkey")
    assert made["url"].startswith("http://admin.test:9000/photos/a%20b/%C3%BC~?")
    head = head_of("GET", made["url"].removeprefix("http://admin.test:9000").encode(), {b"host": b"admin.test:9000"})
    caller = there.service.authenticator.authenticate(head)
    assert caller.identity is not None and caller.identity.access_key == "annkey"


@pytest.mark.parametrize(
    "endpoint", ["s3.test", "ftp://s3.test", "http://a@b", "http://s3.test/?x", "http://[", "http://a b", "http://a:x"]
)
def test_an_endpoint_that_is_none_is_refused(endpoint: str) -> None:
    body = {"method": "GET", "bucket": "photos", "key": "k", "endpoint": endpoint}
    assert told(desk().ask("POST", "/api/v1/presign", body))[0] == 400


def test_a_bucket_is_emptied_but_for_what_is_locked_or_denied() -> None:
    there = desk()
    there.values("POST", "/api/v1/buckets", {"name": "vault", "object_lock": True})
    from gecko_tw.store.requests import Put

    for key, extra in ((b"free", {}), (b"held", {"legal-hold": True})):
        incoming = there.service.objects.receive(())
        incoming.push(b"bytes")
        there.service.objects.put("vault", key, incoming, Put(now=int(NOW * 1e9), extra=extra))
    reply = there.values("POST", "/api/v1/buckets/vault/delete", {"confirm": "vault"})
    assert (reply["removed"], reply["kept"], reply["deleted"]) == (1, 1, False)
    assert [(one["key"], one["code"]) for one in reply["why"]] == [("held", "AccessDenied")]
    assert told(there.ask("POST", "/api/v1/buckets/vault/delete", {"confirm": "photos"}))[0] == 400
    there.settle("dan", ROOT_ACCOUNT, "dan", "admin:EmptyBucket")
    kept = there.values("POST", "/api/v1/buckets/photos/empty", {"confirm": "photos"}, who="dan")
    assert (kept["removed"], kept["kept"]) == (0, 1)


def test_requests_of_s3_are_shown_with_what_differed_and_those_of_the_api_are_not() -> None:
    there = desk()
    there.ask("GET", "/api/v1/server")
    from gecko_tw.resources.access_logs.entries import AccessEntry

    entry = AccessEntry(NOW, 0.5, "ID", "GET", b"/photos/cat?X-Amz-Signature=abc", 403, 9, "192.0.2.9:77", "GetObject")
    there.service.observers[1](entry)
    there.service.observers[1](AccessEntry(NOW, 0.5, "ID2", "PUT", b"/x", 403, 0, "[::1]:5", "", why="host: a came"))
    found = there.values("GET", "/api/v1/requests")
    assert [(one["request_id"], one["uri"]) for one in found] == [
        ("ID", "/photos/cat?X-Amz-Signature=***"),
        ("ID2", "/x"),
    ]
    assert [one["why"] for one in there.values("GET", "/api/v1/requests?refused=true")] == ["host: a came"]
    for query in ("address=192.0.2.9", "method=GET", "operation=GetObject&failed=true"):
        assert [one["request_id"] for one in there.values("GET", f"/api/v1/requests?{query}")] == ["ID"]


def test_requests_are_streamed_as_they_come_until_this_process_ends() -> None:
    from gecko_tw.resources.access_logs.entries import AccessEntry

    there = desk()
    there.service.observers[1](AccessEntry(NOW, 0.5, "OLD", "GET", b"/", 200, 0, "", "ListBuckets"))
    request = there.send("GET", "/api/v1/requests/stream?method=GET")
    assert request.header("content-type") == "text/event-stream"
    for number, method in enumerate(("GET", "PUT", "GET")):
        there.service.observers[1](AccessEntry(NOW, 0.5, f"N{number}", method, b"/", 200, 0, "", "X"))
        there.clock.advance(0.5)
    lines = [
        json.loads(line[6:])["request_id"] for line in request.body.decode().split("\n") if line.startswith("data: ")
    ]
    assert lines == ["N0", "N2"]
    request.leaving = True
    there.clock.advance(0.5)
    assert request.finished == 1


def test_a_client_that_does_not_take_the_stream_is_left() -> None:
    there = desk()
    request = there.send("GET", "/api/v1/requests/stream")
    request.behind = True
    there.clock.pump([0.5] * 121)
    assert request.aborted and request.finished == 0


def test_a_change_whose_author_has_seen_the_document_is_made() -> None:
    there = desk()
    reply = there.ask("GET", "/api/v1/users/main/ann")
    etag = str(reply.header("etag"))
    assert there.ask("PATCH", "/api/v1/users/main/ann", {"enabled": False}, if_match=etag).status == 200
    assert told(there.ask("PATCH", "/api/v1/users/main/ann", {"enabled": True}, if_match=etag))[0] == 412
    assert there.ask("PATCH", "/api/v1/users/main/ann", {"enabled": True}, if_match="*").status == 200


def test_every_permission_is_named_as_one() -> None:
    assert {row.name for row in ROWS.rows if row.needs is None} == {"OpenApi", "Presign"}
    assert all(row.needs.startswith("admin:") for row in ROWS.rows if row.needs)


def test_the_other_paths_of_the_listener_are_as_before() -> None:
    there = desk()
    assert there.ask("GET", "/metrics", who=None).body == b"metrics\n"
    assert there.ask("GET", "/api/v2", who=None).status == 404

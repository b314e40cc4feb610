"""Jay's administration: who is let in, what its requests take and answer, in Jay's own shapes."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gecko_tw.admin.jay.table import ROWS
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from gecko_tw.callers.accounts.registered import KEY
from gecko_tw.resources.gates.lockout import MOST, SECONDS
from gecko_tw.settings import Settings
from gecko_tw.wire.head import head_of
from tests.admin.desk import ROOT, SECRET, Desk, desk
from tests.resources.asking import NOW, FakeRequest

TOKEN = "an admin token of thirty-two bytes"
WEEK = 7 * 24 * 3600


def there() -> Desk:
    return desk(Settings(secret_key=SECRET, admin_token=TOKEN))


def ask(place: Desk, method: str, path: str, body: Any = None, token: str | None = TOKEN, **more: Any) -> FakeRequest:
    bearer = {} if token is None else {"authorization": f"Bearer {token}"}
    return place.ask(method, f"/_jay{path}", body, None, **bearer, **more)


def values(reply: FakeRequest, status: int = 200) -> Any:
    assert (reply.status, reply.header("content-type")) == (status, "application/json"), reply.body
    return json.loads(reply.body)


def account(place: Desk, name: str = "myapp") -> str:
    return str(values(ask(place, "POST", "/accounts", {"name": name}), 201)["account_id"])


def token(place: Desk, **more: Any) -> tuple[str, str]:
    asked = {"account_id": account(place), "name": "deploy", "allowed_actions": ["*"], **more}
    made = values(ask(place, "POST", "/tokens", asked), 201)
    return made["token_id"], made["secret"]


def error(reply: FakeRequest, status: int = 400) -> str:
    told = values(reply, status)
    assert set(told) == {"error"}
    return str(told["error"])


def test_without_a_token_in_the_settings_there_is_no_such_place():
    reply = desk().ask("GET", "/_jay/metrics", None, None, authorization="Bearer ")
    assert reply.status == 404


@pytest.mark.parametrize("given", [None, "", "x", TOKEN + "x", f"{ROOT}:{SECRET}", TOKEN.upper()])
def test_only_the_token_of_the_settings_is_let_in(given):
    place = there()
    for path in ("/metrics", "/tokens", "/quarantine"):
        assert error(ask(place, "GET", path, token=given), 401) == "unauthorized"


def test_five_failures_lock_an_address_out_for_fifteen_minutes_with_the_right_token_too():
    place = there()
    for _ in range(MOST):
        assert error(ask(place, "GET", "/metrics", token="guess"), 401) == "unauthorized"
    reply = ask(place, "GET", "/metrics")
    assert error(reply, 401) == "unauthorized" and reply.header("retry-after") == str(SECONDS)
    place.clock.advance(SECONDS)
    assert ask(place, "GET", "/metrics").status == 200


def test_an_account_is_made_and_names_may_repeat_and_be_empty():
    place = there()
    made = values(ask(place, "POST", "/accounts", {"name": "myapp"}), 201)
    assert set(made) == {"account_id", "name", "created_at", "status"}
    assert (made["name"], made["status"]) == ("myapp", "active")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["created_at"])
    assert place.ground.registry.account(made["account_id"]).display_name == "myapp"
    assert account(place) != made["account_id"]
    for body in ({"name": ""}, {}):
        assert values(ask(place, "POST", "/accounts", body), 201)["name"] == ""


def test_a_token_is_an_access_key_with_a_scope():
    place = there()
    scope = {"allowed_actions": ["object:get", "object:list"], "bucket_scope": ["assets"], "prefix_scope": ["images/"]}
    token_id, secret = token(place, **scope, expires_at="2030-01-31T00:00:00Z")
    assert re.fullmatch("[0-9a-f]{64}", secret)
    key = place.ground.registry.key(token_id)
    assert (key.secret, key.user, key.description) == (secret, "", "deploy")
    assert (key.scope.actions, key.scope.buckets) == (("object:get", "object:list"), ("assets",))
    (listed,) = values(ask(place, "GET", f"/tokens?account_id={key.account}"))
    assert listed == {
        "token_id": token_id,
        "account_id": key.account,
        "name": "deploy",
        "secret_hash": "",
        **scope,
        "created_at": listed["created_at"],
        "expires_at": "2030-01-31T00:00:00Z",
        "status": "active",
    }
    assert secret not in "".join(place.audited)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"account_id": ""}, "account_id required"),
        ({"account_id": None}, "body.account_id: allowed is a text of 0 to 128 characters"),
        ({"account_id": "nobody"}, "account not found"),
        ({"account_id": ROOT_ACCOUNT}, "account not found"),
        ({"allowed_actions": []}, "allowed_actions is required"),
        ({"allowed_actions": None}, "allowed_actions is required"),
        ({"expires_at": "soon"}, "expires_at: 'soon' is no time; allowed are such as 2030-01-31 and 2030-01-31T12:00:00Z"),
        ({"prefix_scope": ["a/"]}, "A scope with prefixes must name buckets."),
        ({"secret": "mine"}, "body: allowed are the members account_id, name, allowed_actions, bucket_scope, prefix_scope, expires_at"),
    ],
)  # fmt: skip
def test_a_wrong_token_is_refused_and_nothing_is_made(change, message):
    place = there()
    before = len(place.ground.registry.listed_keys())
    body = {"account_id": account(place), "name": "t", "allowed_actions": ["*"], **change}
    assert error(ask(place, "POST", "/tokens", body)) == message
    assert len(place.ground.registry.listed_keys()) == before


@pytest.mark.parametrize("change", [{"allowed_actions": ["object:destroy"]}, {"expires_at": "2001-01-01"}])
def test_what_no_token_can_be_is_refused(change):
    place = there()
    error(ask(place, "POST", "/tokens", {"account_id": account(place), "allowed_actions": ["*"], **change}))


def test_without_tokens_the_list_is_null_and_keys_of_users_are_none():
    place = there()
    assert place.ground.registry.key("annkey") is not None
    assert values(ask(place, "GET", "/tokens")) is None
    assert error(ask(place, "DELETE", "/tokens/annkey"), 404) == "token not found"


def test_a_revoked_token_is_gone_at_once_and_so_is_one_that_was_damaged():
    place = there()
    (first, _), (second, _) = token(place), token(place)
    place.ground.registry.documents.change(KEY, second, lambda found: {**found, "secret": "AAAA" + found["secret"][4:]})
    assert {one["token_id"]: one["status"] for one in values(ask(place, "GET", "/tokens"))} == {
        first: "active",
        second: "revoked",
    }
    for one in (first, second):
        reply = ask(place, "DELETE", f"/tokens/{one}")
        assert (reply.status, reply.body) == (204, b"")
        assert error(ask(place, "DELETE", f"/tokens/{one}"), 404) == "token not found"
    assert place.ground.identities.find(first) is None
    assert '"who": "whoever has the admin token"' in place.audited[-1]


def test_a_token_may_do_nothing_in_any_administration():
    place = there()
    token_id, secret = token(place)
    bearer = f"Bearer {token_id}:{secret}"
    assert place.ask("GET", "/api/v1/server", None, None, authorization=bearer).status == 403


def test_a_presigned_url_is_good_for_its_token_method_and_path():
    place = there()
    token_id, _ = token(place)
    asked = {"token_id": token_id, "method": "GET", "bucket": "photos", "key": "a b/ü.txt", "expires_seconds": 60}
    url = values(ask(place, "POST", "/presign", asked))["url"]
    base, _, target = url.partition("/photos")
    assert base == "http://admin.test:9000" and f"X-Jay-Expires={int(NOW) + 60}" in target
    caller = place.service.authenticator.authenticate(head_of("GET", f"/photos{target}".encode(), {b"host": b"any"}))
    assert caller.identity is not None and (caller.kind, caller.identity.access_key) == ("jay", token_id)
    for seconds in (0, -1):
        later = values(ask(place, "POST", "/presign", {**asked, "expires_seconds": seconds}))["url"]
        assert f"X-Jay-Expires={int(NOW) + 3600}" in later


def test_a_presigned_url_is_no_way_into_any_administration():
    place = there()
    token_id, _ = token(place)
    link = {"token_id": token_id, "method": "GET", "bucket": "api", "key": "v1/server"}
    url = values(ask(place, "POST", "/presign", link))["url"]
    assert place.ask("GET", url.removeprefix("http://admin.test:9000"), who=None).status == 403


@pytest.mark.parametrize(
    "change",
    [
        {"token_id": ""},
        {"token_id": "nobody"},
        {"method": "TRACE"},
        {"bucket": "a/b"},
        {"bucket": "minio..x"},
        {"expires_seconds": WEEK + 1},
        {"expires_seconds": "3600"},
    ],
)
def test_what_cannot_be_presigned_is_refused(change):
    asked = {"token_id": "annkey", "method": "GET", "bucket": "photos", "key": "cat", **change}
    error(ask(there(), "POST", "/presign", asked))


def test_metrics_are_told_under_jays_names():
    place = there()
    place.ask("GET", "/api/v1/server", None, None, authorization=f"Bearer {ROOT}:guess")
    told = values(ask(place, "GET", "/metrics"))
    assert (
        list(told)
        == (
            "uptime_seconds put_object_total get_object_total delete_object_total head_object_total list_objects_total "
            "create_bucket_total delete_bucket_total auth_failures checksum_failures fsync_failures objects_quarantined "
            "bytes_uploaded bytes_downloaded"
        ).split()
    )
    assert (told["uptime_seconds"], told["auth_failures"], told["put_object_total"]) == (60, 1, 0)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/nothing", 404),
        ("GET", "/tokens/", 404),
        ("DELETE", "/tokens", 405),
        ("PUT", "/accounts", 405),
        ("GET", "/tokens?account=x", 400),
        ("GET", "/tokens?account_id=%ff", 400),
    ],
)
def test_paths_and_methods_that_there_are_not_are_told_in_json(method, path, status):
    reply = ask(there(), method, path)
    assert error(reply, status)
    assert (reply.header("allow") is not None) == (status == 405)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), (b'{"name": 1}', 400), (b'{"name":"a","name":"b"}', 400), (b" " * 1_100_000, 413)],
)
def test_a_wrong_body_is_refused(body, status):
    place = there()
    before = len(place.ground.registry.all("account"))
    assert error(ask(place, "POST", "/accounts", body), status)
    assert len(place.ground.registry.all("account")) == before


def test_a_body_need_not_say_that_it_is_json():
    kind = "application/x-www-form-urlencoded"  # as curl -d says
    assert ask(there(), "POST", "/accounts", b'{"name": "a"}', content_type=kind).status == 201


def test_every_answer_has_the_shape_that_its_row_says():
    place = there()
    token(place)
    for path, name in (("/tokens", "JayListTokens"), ("/metrics", "JayMetrics"), ("/quarantine", "JayListQuarantine")):
        schema = ROWS.named(name).answer
        assert schema is not None
        Draft202012Validator(schema).validate(values(ask(place, "GET", path)))

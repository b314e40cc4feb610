"""ByteBucket's administration: who is let in, what its requests take and answer, in ByteBucket's own shapes."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gecko_tw.admin.bytebucket.table import ROWS
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, User
from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.callers.budgets.token_buckets import Budget
from gecko_tw.resources.gates.logins import LOGIN_BUDGET
from gecko_tw.resources.gates.rate_limits import RateLimits
from gecko_tw.settings import Settings
from tests.admin.desk import ROOT, SECRET, Desk, desk
from tests.resources.asking import FakeRequest

ADMIN = [{"effect": "Allow", "buckets": ["*"], "actions": ["*"]}]
READER = [{"effect": "Allow", "buckets": ["photos"], "actions": ["s3:GetObject", "s3:ListBucket"]}]


OWN = (ROOT, SECRET)


def ask(place: Desk, method: str, path: str, body: Any = None, who: tuple[str, str] = OWN, **more: Any) -> FakeRequest:
    pair = {"x_admin_accesskey": who[0], "x_admin_secret": who[1]} if who[0] else {}
    return place.ask(method, f"/api{path}", body, None, **pair, **more)


def values(reply: FakeRequest, status: int = 200) -> Any:
    assert (reply.status, reply.header("content-type")) == (status, "application/json"), reply.body
    return json.loads(reply.body)


def error(reply: FakeRequest, status: int = 400) -> str:
    told = values(reply, status)
    assert set(told) == {"error"}
    return str(told["error"])


def user(place: Desk, rules: Any = ADMIN) -> tuple[str, str]:
    made = values(ask(place, "POST", "/users", {"acl": rules}), 201)
    return made["accessKeyID"], made["secretAccessKey"]


def test_every_request_needs_the_key_pair_of_an_administrator():
    place = desk()
    reader = user(place, READER)
    admin = user(place)
    for path in ("/users", "/config", "/config/ratelimit", "/s3/"):
        assert error(ask(place, "GET", path, who=("", "")), 401) == "Missing admin credentials"
        assert error(ask(place, "GET", path, who=("nobody", "x")), 401) == "User not found"
        assert error(ask(place, "GET", path, who=(ROOT, "guess")), 401) == "Invalid admin secret"
        place.clock.advance(600)
        assert error(ask(place, "GET", path, who=reader), 401) == "User does not have admin privileges"
        assert ask(place, "GET", path, who=admin).status == 200


def test_a_user_of_another_account_administers_nothing_whatever_its_policies_say():
    place = desk()
    place.settle("theirs", "main", "bob", "s3:*", "admin:*")
    assert (
        error(ask(place, "GET", "/users", who=("theirs", "secret-of-theirs")), 401)
        == "User does not have admin privileges"
    )


def test_who_fails_again_and_again_waits_longer_and_longer():
    place = desk()
    guess = {"x_admin_accesskey": ROOT, "x_admin_secret": "guess"}
    for _ in range(int(LOGIN_BUDGET.burst)):
        assert place.ask("GET", "/api/users", None, None, **guess).status == 401
    slowed = place.send("GET", "/api/users", None, None, **guess)
    assert slowed.finished == 0
    place.clock.advance(5.0)
    assert slowed.finished == 1


@pytest.mark.parametrize(
    ("setting", "address", "status"),
    [
        ("private", "8.8.8.8", 403),
        ("private", "[2606:4700::1]", 403),
        ("private", "127.0.0.1", 200),
        ("private", "10.1.2.3", 200),
        ("private", "[::1]", 200),
        ("private", "[fd00::1]", 200),
        ("any", "8.8.8.8", 200),
        ("off", "127.0.0.1", 404),
    ],
)
def test_secrets_in_headers_are_taken_from_near_by_only_or_over_https(setting, address, status):
    place = desk(Settings(secret_key=SECRET, bytebucket_api=setting))
    reply = ask(place, "GET", "/users", peer=f"{address}:4711")
    assert reply.status == status
    if status == 403:
        assert "https" in error(reply, 403)
        assert ask(place, "GET", "/users", peer=f"{address}:4711", secure=True).status == 200
        assert error(ask(place, "GET", "/s3/", peer=f"{address}:4711"), 403)


def test_a_user_is_made_listed_changed_and_removed():
    place = desk()
    assert values(ask(place, "GET", "/users")) is None
    made = values(ask(place, "POST", "/users", {"acl": READER}), 201)
    assert set(made) == {"accessKeyID", "secretAccessKey", "acl"} and made["acl"] == READER
    assert re.fullmatch("[A-Za-z0-9]{20}", made["accessKeyID"])
    assert re.fullmatch("[A-Za-z0-9+/]{40}", made["secretAccessKey"])
    name = made["accessKeyID"]
    (listed,) = values(ask(place, "GET", "/users"))
    assert (set(listed), listed["accessKeyID"], listed["acl"]) == ({"accessKeyID", "acl", "createdAt"}, name, READER)
    reply = ask(place, "PUT", f"/users/{name}", {"acl": ADMIN})
    assert (reply.status, reply.body) == (200, b"")
    assert values(ask(place, "GET", "/users"))[0]["acl"] == ADMIN
    assert ask(place, "PUT", f"/users/{name}", {"acl": []}).status == 200
    assert place.ground.registry.user(ROOT_ACCOUNT, name).policies == {}
    for _ in range(2):
        assert ask(place, "DELETE", f"/users/{name}").status == 204
    assert place.ground.identities.find(name) is None
    assert values(ask(place, "GET", "/users")) is None
    assert made["secretAccessKey"] not in "".join(place.audited)


def test_a_user_that_was_changed_elsewhere_is_told_with_its_policies():
    place = desk()
    name, _ = user(place, READER)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    place.values("PUT", f"/api/v1/users/{ROOT_ACCOUNT}/{name}/policies/more", policy)
    (listed,) = values(ask(place, "GET", "/users"))
    assert listed["acl"] is None and listed["policies"]["more"] == policy
    assert ask(place, "PUT", f"/users/{name}", {"acl": []}).status == 200
    assert place.ground.registry.user(ROOT_ACCOUNT, name).policies.keys() == {"more"}


def test_users_that_were_not_made_here_are_neither_shown_nor_changed():
    place = desk()
    place.ground.registry.put_user(User(account=ROOT_ACCOUNT, name="ann"))
    assert values(ask(place, "GET", "/users")) is None
    assert error(ask(place, "PUT", "/users/ann", {"acl": ADMIN}), 404) == "User not found"
    assert ask(place, "DELETE", "/users/ann").status == 404
    assert error(ask(place, "PUT", "/users/nobody", {"acl": ADMIN}), 404) == "User not found"
    assert place.ground.registry.user(ROOT_ACCOUNT, "ann") is not None


@pytest.mark.parametrize("body", [{}, {"acl": None}, None])
def test_without_a_list_no_user_is_made(body):
    assert error(ask(desk(), "POST", "/users", body)) == "Invalid request: missing ACL rules"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        {"acl": {}},
        {"acl": [{}]},
        {"acl": ADMIN, "name": "x"},
        {"acl": [{**ADMIN[0], "prefix": "a"}]},
        {"acl": [{**ADMIN[0], "effect": "Perhaps"}]},
        {"acl": [{**ADMIN[0], "actions": "s3:GetObject"}]},
        {"acl": [{**ADMIN[0], "actions": ["s3:Get:Object"]}]},
    ],
)
def test_a_wrong_list_makes_nobody(body):
    place = desk()
    error(ask(place, "POST", "/users", body))
    assert values(ask(place, "GET", "/users")) is None


def test_an_administrator_that_is_denied_one_thing_is_denied_it_here_too():
    place = desk()
    name, secret = user(place)
    deny = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "admin:CreateServiceAccount", "Resource": "*"}],
    }
    place.values("PUT", f"/api/v1/users/{ROOT_ACCOUNT}/{name}/policies/no", deny)
    assert ask(place, "POST", "/users", {"acl": ADMIN}, (name, secret)).status == 403
    assert ask(place, "GET", "/users", who=(name, secret)).status == 200


def test_what_is_set_of_rate_limits_is_in_force_until_it_is_cleared():
    place = desk(Settings(secret_key=SECRET, rate_limit_address=50.0, rate_limit_address_burst=60.0))
    env = {"enabled": True, "rps": 50.0, "burst": 60.0, "trustedProxies": 0}
    assert values(ask(place, "GET", "/config/ratelimit")) == {"env": env, "effective": env, "override": None}
    mine = {"enabled": True, "rps": 2.5, "burst": 10, "trustedProxies": 0}
    assert values(ask(place, "PUT", "/config/ratelimit", mine)) == {"effective": mine}
    assert values(ask(place, "GET", "/config/ratelimit")) == {"env": env, "effective": mine, "override": mine}
    off = {**mine, "enabled": False}
    told = values(ask(place, "PUT", "/config/ratelimit", off))["effective"]
    assert told["enabled"] is False
    assert values(ask(place, "DELETE", "/config/ratelimit")) == {"effective": env}


@pytest.mark.parametrize(
    "change",
    [
        {"rps": 0.5},
        {"burst": 0},
        {"rps": 1_000_001},
        {"burst": -1},
        {"burst": 1.5},
        {"trustedProxies": 65},
        {"trustedProxies": 1},
        {"enabled": "yes"},
        {"more": 1},
    ],
)
def test_a_rate_limit_that_is_none_changes_nothing(change):
    place = desk()
    before = values(ask(place, "GET", "/config/ratelimit"))
    error(
        ask(place, "PUT", "/config/ratelimit", {"enabled": True, "rps": 5, "burst": 5, "trustedProxies": 0, **change})
    )
    error(ask(place, "PUT", "/config/ratelimit", b'{"enabled": true, "rps": NaN, "burst": 5, "trustedProxies": 0}'))
    assert values(ask(place, "GET", "/config/ratelimit")) == before


def test_where_clients_find_s3_is_told():
    assert values(ask(desk(), "GET", "/config")) == {"publicBaseURL": ""}
    there = desk(Settings(secret_key=SECRET, public_base_url="https://s3.example.com"))
    assert values(ask(there, "GET", "/config")) == {"publicBaseURL": "https://s3.example.com"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/nothing", 404),
        ("PATCH", "/users", 405),
        ("GET", "/users/a", 405),
        ("GET", "/users?a=b", 400),
    ],
)
def test_paths_and_methods_that_there_are_not_are_told_in_json(method, path, status):
    reply = ask(desk(), method, path)
    assert error(reply, status)
    assert (reply.header("allow") is not None) == (status == 405)


def test_every_answer_has_the_shape_that_its_row_says():
    place = desk()
    user(place)
    names = {"/users": "ListUsers", "/config": "GetConfig", "/config/ratelimit": "GetRateLimit"}
    for path, name in names.items():
        schema = ROWS.named(f"ByteBucket{name}").answer
        assert schema is not None
        Draft202012Validator(schema).validate(values(ask(place, "GET", path)))


@pytest.mark.parametrize(("path", "member"), [("/users", "error"), ("/s3/", "code"), ("/s3/photos/cat", "code")])
def test_too_many_requests_of_an_address_are_answered_503_before_anybody_is_asked_who_they_are(path, member):
    place = desk()
    place.service.limits = RateLimits(Tally(), 1, place.clock.seconds, Budget(1.0, 1.0), None, None)
    assert ask(place, "GET", path).status == 200
    reply = ask(place, "GET", path, who=(ROOT, "guess"))
    assert member in values(reply, 503) and reply.header("retry-after") == "1"
    place.clock.advance(1.0)
    assert ask(place, "GET", path).status == 200

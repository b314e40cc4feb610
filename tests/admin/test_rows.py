"""Each row of the admin API: what it answers, whom it refuses, what it tells the audit log."""

import json

import pytest
from jsonschema import Draft202012Validator

from gecko_tw.admin.openapi import ERROR
from gecko_tw.admin.rows import GET, Row
from gecko_tw.admin.table import ROWS
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from gecko_tw.callers.accounts.scopes import KeyScope
from tests.admin.desk import ROOT, Desk
from tests.admin.recipes import RECIPES, target_of
from tests.admin.ward import ward as desk
from tests.resources.asking import FakeRequest

EACH = pytest.mark.parametrize("row", ROWS.rows, ids=lambda row: row.name)
PERMITTED = pytest.mark.parametrize("row", [row for row in ROWS.rows if row.needs], ids=lambda row: row.name)


def asked(there: Desk, row: Row, who: str | None = ROOT) -> FakeRequest:
    return there.send(row.method, target_of(row, there.upload), RECIPES[row.name].body, who)


def code(reply: FakeRequest) -> str:
    told = json.loads(reply.body)
    Draft202012Validator(ERROR).validate(told)
    return str(told["code"])


def test_every_row_has_a_recipe() -> None:
    assert sorted(RECIPES) == sorted(row.name for row in ROWS.rows)


@EACH
def test_a_row_answers_what_its_schema_says(row: Row) -> None:
    there = desk()
    reply = asked(there, row)
    assert reply.status == row.status, reply.body
    if row.stream is not None:
        reply.leave()
    elif row.answer is not None:
        Draft202012Validator(row.answer).validate(json.loads(reply.body))
        assert (reply.header("content-type"), reply.header("cache-control")) == ("application/json", "no-store")
    else:
        assert reply.body == b""
    assert (reply.header("etag") is not None) == (row.document and row.method == GET)


@EACH
def test_nobody_asks_without_proving_who(row: Row) -> None:
    there = desk()
    reply = asked(there, row, None)
    assert (reply.status, code(reply)) == (403, "AccessDenied")


@PERMITTED
def test_only_the_permission_of_a_row_permits_it_and_only_in_the_account_of_the_settings(row: Row) -> None:
    there, needs = desk(), str(row.needs)
    others = sorted({str(one.needs) for one in ROWS.rows if one.needs not in (None, needs)})
    refused = [
        there.settle("plain", ROOT_ACCOUNT, "plain"),
        there.settle("all-of-s3", ROOT_ACCOUNT, "all-of-s3", "s3:*"),
        there.settle("other-permissions", ROOT_ACCOUNT, "others", *others),
        there.settle("root-of-main", "main"),
        there.settle("admin-of-main", "main", "admin", "admin:*"),
        there.settle("scoped", ROOT_ACCOUNT, scope=KeyScope(buckets=("photos",))),
        there.settle("everything-of-s3", ROOT_ACCOUNT, scope=KeyScope(actions=("*",), networks=("0.0.0.0/0",))),
    ]
    for who in refused:
        reply = asked(there, row, who)
        assert (who, reply.status, code(reply)) == (who, 403, "AccessDenied")
    for who in (there.settle("permitted", ROOT_ACCOUNT, "permitted", needs), there.settle("own-root", ROOT_ACCOUNT)):
        fresh = desk()
        fresh.settle(who, ROOT_ACCOUNT, "permitted" if who == "permitted" else "", needs)
        reply = asked(fresh, row, who)
        assert (who, reply.status) == (who, row.status)
        if row.stream is not None:
            reply.leave()


@EACH
def test_changes_are_told_in_the_audit_log_and_secrets_are_not(row: Row) -> None:
    there = desk()
    reply = asked(there, row)
    told = [json.loads(line) for line in there.audited]
    assert len(told) == row.changes
    for line in told:
        assert (line["audit"], line["outcome"], line["client_ip"]) == (row.name, "ok", "192.0.2.1")
        assert line["who"] == {"access_key": ROOT, "arn": f"arn:aws:iam::{ROOT_ACCOUNT}:root"}
        assert line.get("on", {}) == {
            **RECIPES[row.name].path,
            **({"upload": "u1"} if row.name == "AbortUpload" else {}),
        }
    assert "whispered" not in "".join(there.audited) and "the secret" not in "".join(there.audited)
    if row.stream is not None:
        reply.leave()


@pytest.mark.parametrize("row", [row for row in ROWS.rows if row.changes], ids=lambda row: row.name)
def test_a_refused_change_is_told_as_well(row: Row) -> None:
    there = desk()
    asked(there, row, there.settle("plain", ROOT_ACCOUNT, "plain"))
    (line,) = map(json.loads, there.audited)
    assert (line["audit"], line["outcome"], line["who"]["access_key"]) == (row.name, "AccessDenied", "plain")
    assert "asked" not in line


@pytest.mark.parametrize("row", [row for row in ROWS.rows if row.body is not None], ids=lambda row: row.name)
@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"7", b'{"a":1,"a":2}', b'{"a":NaN}', b'"\\ud800"', b"\xff", b"[" * 90_000]
)
def test_a_wrong_body_is_refused_and_changes_nothing(row: Row, body: bytes) -> None:
    there = desk()
    before = there.service.registry.documents.revision()  # type: ignore[union-attr]
    reply = there.ask(row.method, target_of(row, there.upload), body)
    assert (reply.status, code(reply)) == (400, "InvalidArgument")
    assert json.loads(reply.body)["message"].startswith("body")
    assert there.service.registry.documents.revision() == before  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "row", [row for row in ROWS.rows if row.document and row.method != GET], ids=lambda row: row.name
)
def test_a_stale_change_is_refused(row: Row) -> None:
    there = desk()
    target, body = target_of(row, there.upload), RECIPES[row.name].body
    reply = there.ask(row.method, target, body, if_match='"stale"')
    assert (reply.status, code(reply)) == (412, "PreconditionFailed")
    reads = next(one for one in ROWS.rows if one.method == GET and one.document and _same(one, row))
    etag = there.ask("GET", "/api/v1" + _filled(reads, RECIPES[row.name].path)).header("etag")
    assert there.ask(row.method, target, body, if_match=str(etag)).status == row.status


def _same(reads: Row, row: Row) -> bool:
    """Whether a row reads the document that another one changes."""
    return row.path == reads.path or row.path.startswith(reads.path + "/")


def _filled(row: Row, path: dict[str, str]) -> str:
    filled = row.path
    for place in row.places:
        filled = filled.replace("{" + place + "}", path[place])
    return filled

"""Each row of MinIO's face: what it answers, whom it refuses, what it tells the audit log."""

import json

import pytest

from gecko_tw.admin.minio.rows import GET, SEALED, MinioRow
from gecko_tw.admin.minio.table import MINIO_ROWS
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from gecko_tw.callers.accounts.scopes import KeyScope
from tests.admin.desk import ROOT, SECRET
from tests.admin.minio.minio_desk import minio_desk
from tests.admin.minio.recipes import RECIPES, REFUSED, target_of

EACH = pytest.mark.parametrize("row", MINIO_ROWS.rows, ids=lambda row: row.name)
PERMITTED = pytest.mark.parametrize("row", [row for row in MINIO_ROWS.rows if row.needs], ids=lambda row: row.name)
CHANGING = pytest.mark.parametrize("row", [row for row in MINIO_ROWS.rows if row.changes], ids=lambda row: row.name)


def test_every_row_has_a_recipe() -> None:
    assert sorted(RECIPES) == sorted(row.name for row in MINIO_ROWS.rows)


@EACH
def test_a_row_answers_its_recipe(row: MinioRow) -> None:
    there = minio_desk()
    reply = there.row(row)
    if row.name in REFUSED:
        assert there.code(reply) == (501, "NotImplemented")
        return
    assert reply.status == row.status, reply.body
    if row.stream is not None:
        reply.leave()
        return
    assert reply.header("cache-control") == "no-store"
    if reply.body:
        kind = "application/octet-stream" if row.answers == SEALED else "application/json"
        assert reply.header("content-type") == kind
        there.read(row, reply)


@EACH
def test_nobody_asks_without_proving_who(row: MinioRow) -> None:
    there = minio_desk()
    assert there.code(there.row(row, None)) == (403, "AccessDenied")


@PERMITTED
def test_only_the_permission_of_a_row_permits_it_and_only_in_the_account_of_the_settings(row: MinioRow) -> None:
    there, needs = minio_desk(), str(row.needs)
    settle = there.desk.settle
    others = sorted({str(one.needs) for one in MINIO_ROWS.rows if one.needs not in (None, needs)})
    refused = [
        settle("plain", ROOT_ACCOUNT, "plain"),
        settle("other-permissions", ROOT_ACCOUNT, "others", *others),
        settle("root-of-main", "main"),
        settle("admin-of-main", "main", "admin", "admin:*"),
        settle("scoped", ROOT_ACCOUNT, scope=KeyScope(buckets=("photos",))),
    ]
    for who in refused:
        assert there.code(there.row(row, who)) == (403, "AccessDenied"), who
    allowed = there.row(row, settle("permitted", ROOT_ACCOUNT, "permitted", needs))
    assert allowed.status == (501 if row.name in REFUSED else row.status), allowed.body
    if row.stream is not None:
        allowed.leave()


@EACH
def test_whoever_is_of_another_account_is_refused_whatever_is_permitted_there(row: MinioRow) -> None:
    there = minio_desk()
    if row.name == "AccountInfo":
        return  # it tells everybody of what is theirs
    who = there.desk.settle("admin-of-main", "main", "admin", "admin:*")
    assert there.row(row, who).status in (403, 404)


@CHANGING
def test_each_change_is_told_without_a_secret(row: MinioRow) -> None:
    there = minio_desk()
    there.row(row)
    assert len(there.desk.audited) == 1
    line = json.loads(there.desk.audited[0])
    assert (line["audit"], line["who"]["access_key"]) == (row.name, ROOT)
    assert line["outcome"] == ("NotImplemented" if row.name in REFUSED else "ok")
    assert "secretof" not in there.desk.audited[0]
    assert SECRET not in there.desk.audited[0]


def test_a_refused_change_is_told_too() -> None:
    there = minio_desk()
    there.ask("RemoveUser", accessKey="nobody")
    there.ask("RemoveUser", who=None, accessKey="ann")
    assert [json.loads(line)["outcome"] for line in there.desk.audited] == ["NoSuchEntity", "AccessDenied"]


@EACH
def test_an_unknown_parameter_is_refused_and_never_passed_over(row: MinioRow) -> None:
    there = minio_desk()
    target = target_of(row)
    reply = there.send(row, target + ("&" if "?" in target else "?") + "unknown=1", RECIPES[row.name].body)
    assert there.code(reply) == (400, "InvalidArgument")


@EACH
def test_another_method_is_refused(row: MinioRow) -> None:
    there = minio_desk()
    reply = there.desk.send("PATCH", target_of(row))
    assert there.code(reply) == (405, "MethodNotAllowed")
    assert row.method in str(reply.header("allow"))


SEALED_ROWS = [row for row in MINIO_ROWS.rows if row.body == SEALED]


@pytest.mark.parametrize("row", SEALED_ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("body", (b"", b"{}", b"x" * 200, json.dumps({"secretKey": "plain"}).encode()))
def test_a_body_that_is_not_encrypted_with_the_secret_is_refused(row: MinioRow, body: bytes) -> None:
    there = minio_desk()
    reply = there.desk.send(row.method, target_of(row), body)
    assert there.code(reply)[0] in (400, 404)
    assert not any(secret in str(there.desk.audited) for secret in ("plain", "xxxx"))


def test_what_is_not_there_answers_as_what_it_is() -> None:
    there = minio_desk()
    for path in (
        "/minio/admin/v3/config",
        "/minio/admin/v3/heal/",
        "/minio/admin/v4/info",
        "/minio/x",
        "/minio/kms/v1/apis",
    ):
        assert there.code(there.desk.send(GET, path)) == (501, "NotImplemented"), path
    assert there.desk.send(GET, "/minio/health/live", who=None).status == 200


def test_all_of_it_is_off_where_the_settings_say_so() -> None:
    there = minio_desk(admin=False, metrics="off")
    for row in MINIO_ROWS.rows:
        assert there.code(there.row(row)) == (501, "NotImplemented")
    assert there.code(there.desk.send(GET, "/minio/v2/metrics/cluster", who=None)) == (501, "NotImplemented")
    assert there.desk.send(GET, "/minio/health/live", who=None).status == 200


def test_bodies_are_encrypted_with_the_settings_secret_where_nobody_proves_who_asks() -> None:
    there = minio_desk(auth=False)
    assert set(there.values("ListUsers")) == {"ann", "bob"}

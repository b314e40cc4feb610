"""Every operation, asked by everybody, under every kind of bucket policy: who is refused is whom the evaluator of policies refuses."""

import json
from collections.abc import Iterator

import pytest

from gecko_tw.admin.bytebucket.table import ROWS as BYTEBUCKET
from gecko_tw.admin.jay.table import ROWS as JAY
from gecko_tw.admin.minio.table import MINIO_ROWS
from gecko_tw.admin.rows import Row
from gecko_tw.admin.table import ROWS
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.matrix.callers import CALLERS, Caller, configuration
from tests.end_to_end.matrix.cases import Case, cases, rows
from tests.end_to_end.matrix.ground import (
    ADMIN_TOKEN,
    HEADER,
    JAY_SECRET,
    PRESIGNED,
    ROOT_PAIR,
    Ground,
    Reply,
    styles,
)
from tests.end_to_end.matrix.recipes import RECIPES

ADMIN_STYLES = (HEADER, PRESIGNED)
ADMIN_REFUSALS = (b'"code": "AccessDenied"', b'"code": "InvalidAccessKeyId"')
MINIO_REFUSALS = (b'"Code": "AccessDenied"', b'"Code": "InvalidAccessKeyId"')
REFUSALS = (b"<Code>AccessDenied</Code>", b"<Code>InvalidAccessKeyId</Code>")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("matrix")
    file = folder / "matrix.yaml"
    file.write_text(json.dumps(configuration(cases())))
    options = (f"--config={file}", "--workers=2", "--trusted-proxies=1", "--request-log=false", "--min-part-size=0")
    options += ("--admin-listen=127.0.0.1:0", "--audit-log=off")
    options += ("--native-listen=127.0.0.1:0", f"--admin-token={ADMIN_TOKEN}", f"--signing-secret={JAY_SECRET}")
    with Daemon(folder, *options) as daemon:
        ground = Ground(daemon, cases())
        try:
            ground.fill()
            yield ground
        finally:
            ground.close()


def test_every_operation_is_in_the_matrix() -> None:
    assert [row.name for row in rows() if row.name not in RECIPES] == []


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)
def test_who_is_refused_is_whom_the_policies_refuse(ground: Ground, caller: Caller) -> None:
    ground.restore()
    before = ground.kept()
    assert _wrong(ground, caller, False) == []
    assert ground.kept() == before
    assert _wrong(ground, caller, True) == []


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)
def test_the_server_is_administered_by_whom_the_account_of_the_settings_allows_it(
    ground: Ground, caller: Caller
) -> None:
    before = ground.kept()
    wrong = []
    # Who fails to prove who it is waits longer and longer, after a few times.
    for row in ROWS.rows[:2] if caller.expired else ROWS.rows:
        for style in ADMIN_STYLES:
            status, body = ground.administer(caller, row, style)
            # Changes are allowed in tests/admin/: here they would take away what the next caller is asked about.
            allowed = _administers(caller, row) and style != PRESIGNED
            if allowed and row.method == "GET":
                right = status in (200, 404)
            else:
                right = allowed or (status == 403 and any(code in body for code in ADMIN_REFUSALS))
            if not right:
                wrong.append(f"{row.name}, {style}: {status} {body.decode()[:300]}")
    assert wrong == []
    assert ground.kept() == before


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)
def test_minios_face_administers_for_the_same(ground: Ground, caller: Caller) -> None:
    before = ground.kept()
    wrong = []
    for row in MINIO_ROWS.rows[:2] if caller.expired else MINIO_ROWS.rows:
        for style in ADMIN_STYLES:
            status, body = ground.administer_minio(caller, row, style)
            known = bool(caller.account) and not caller.expired
            mine = row.name == "AccountInfo" and known  # it tells everybody of what is theirs
            allowed = (mine or (caller.superuser and not caller.session)) and style != PRESIGNED
            if allowed and row.method == "GET":
                right = status in (200, 404, 501)
            else:
                right = allowed or (status == 403 and any(code in body for code in MINIO_REFUSALS))
            if not right:
                wrong.append(f"{row.name}, {style}: {status} {body.decode('utf-8', 'replace')[:300]}")
    assert wrong == []
    assert ground.kept() == before


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)
def test_bytebuckets_administration_is_for_whom_the_account_of_the_settings_allows_it(
    ground: Ground, caller: Caller
) -> None:
    pair = ground.pair(caller)
    headers = {} if pair is None else {"x-admin-accesskey": pair[0], "x-admin-secret": pair[1]}
    asked = [(row.method, "/api" + row.path.replace("{user}", "nobody")) for row in BYTEBUCKET.rows]
    asked += [(method, f"/api/s3/{path}") for method in ("GET", "PUT", "DELETE") for path in ("", "getobject-none/key")]
    unproven = caller.expired or bool(caller.session)
    before, wrong = ground.kept(), []
    # As above; and what changes something is not allowed here to whom it is allowed.
    for method, path in asked[:1] if unproven else asked:
        allowed = caller.superuser and not caller.session
        if allowed and method != "GET":
            continue
        status, body = ground.administer_as_others(method, path, headers)
        if (status not in (200, 404)) if allowed else (status != 401 or set(json.loads(body)) != {"error"}):
            wrong.append(f"{method} {path}: {status} {body.decode()[:300]}")
    assert wrong == []
    assert ground.kept() == before


@pytest.mark.parametrize("token", ["settings", "nothing"])
def test_jays_administration_is_for_nobody_but_who_has_its_token(ground: Ground, token: str) -> None:
    authorization = {"settings": "Bearer {}:{}".format(*ROOT_PAIR), "nothing": ""}[token]
    headers = {"authorization": authorization} if authorization else {}
    before = ground.kept()
    for row in JAY.rows:
        reply = ground.administer_as_others(row.method, "/_jay" + row.path.replace("{token}", "owner"), headers)
        assert reply == (401, b'{"error": "unauthorized"}\n'), row.name
    assert ground.kept() == before


def _administers(caller: Caller, row: Row) -> bool:
    if not caller.account or caller.expired:
        return False
    return row.needs is None or (caller.superuser and not caller.session)


def _wrong(ground: Ground, caller: Caller, allowed: bool) -> list[str]:
    """What somebody may do and yet cannot, or may not do and yet can. The requests about one operation come one after the other."""

    def ask(case: Case) -> list[str]:
        found = []
        for policy in case.policies:
            for style in styles(caller, case) if caller.may(case, policy) == allowed else ():
                if allowed:
                    ground.restore_for(case)
                reply = ground.ask(caller, case, policy, style)
                if not (_is_answered if allowed else _is_refused)(case, reply):
                    found.append(f"{case.name}, policy {policy}, {style}: {reply[0]} {reply[1].decode()[:300]}")
        return found

    return [line for lines in ground.each(ask, cases()) for line in lines]


def _is_refused(case: Case, reply: Reply) -> bool:
    status, body = reply
    if case.row.name == "DeleteObjects" and status == 200:
        return REFUSALS[0] in body and b"<Deleted>" not in body
    return status == 403 and (case.row.method == "HEAD" or any(code in body for code in REFUSALS))


def _is_answered(case: Case, reply: Reply) -> bool:
    status, body = reply
    return (200 <= status < 300 or status in case.recipe.answers) and not any(code in body for code in REFUSALS)

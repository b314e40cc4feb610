"""The daemon that is asked: its buckets filled, requests sent to it from several threads, and everything that it keeps to compare."""

import base64
import hashlib
import itertools
import json
import re
import sqlite3
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

import boto3

from gecko_tw.admin.minio.messages import PBKDF2_AES_GCM, encrypt
from gecko_tw.admin.minio.rows import PREFIX, SEALED, MinioRow
from gecko_tw.admin.rows import Row
from gecko_tw.resources.dispatch.operations import OBJECT, Document
from tests.admin.minio.recipes import RECIPES as MINIO_RECIPES
from tests.admin.recipes import RECIPES, target_of
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.matrix.callers import CALLERS, Caller
from tests.end_to_end.matrix.cases import NONE, Case, harmless_policy, policy_text
from tests.end_to_end.matrix.framed import OPERATIONS, ask_once, native_port, request_of
from tests.end_to_end.matrix.recipes import KEY, SOURCE
from tests.end_to_end.matrix.signing import Asked, Pair, Signer
from tests.patience import PATIENCE

HEADER, PRESIGNED, FORM, UNSIGNED, NATIVE, JAY = "header", "presigned", "form", "unsigned", "native", "jay"
ADMIN_TOKEN, JAY_SECRET = "the admin token of the matrix, 32 bytes", "the secret of URLs of Jay's kind"
THREADS = 4
OPERATORS = re.compile(r"listening on http://(\S+) for operators")
TABLES = ("bucket", "document", "part", "span", "upload", "version")
ROOT_PAIR = (Daemon.access_key, Daemon.secret_key)
Reply = tuple[int, bytes]


class Ground:
    """A running daemon with all identities and buckets.

    :param cases: those whose buckets it has.
    """

    def __init__(self, daemon: Daemon, cases: list[Case]) -> None:
        self._daemon, self._cases = daemon, cases
        self._signer = Signer(f"127.0.0.1:{daemon.port}", daemon.region)
        self._native = native_port(daemon)
        self._local = threading.local()
        self._connections: list[HTTPConnection] = []
        self._pool = ThreadPoolExecutor(THREADS)
        self._uploads: dict[str, str] = {}
        self._addresses = itertools.count()
        self._sessions: dict[str, Pair] = {}

    def close(self) -> None:
        self._pool.shutdown()
        for connection in self._connections:
            connection.close()

    def fill(self) -> None:
        """Puts objects, an upload where one is needed, and then the policy into each bucket. Begins the sessions."""
        self.each(self._fill, self._cases)
        for caller in CALLERS:
            if caller.session:
                self._sessions[caller.name] = self._begin_session(caller)

    def restore(self) -> None:
        """Gives back what requests that were allowed have used up."""
        self.each(self.restore_for, self._cases)

    def restore_for(self, case: Case) -> None:
        """The same for one operation."""
        for bucket, policy in zip(case.buckets, case.policies, strict=True):
            if case.recipe.uses_up == "object":
                self._put_objects(bucket)
            elif case.recipe.uses_up == "upload":
                self._begin_upload(bucket)
            elif case.recipe.uses_up == "policy":
                self._put_policy(case, policy)
            elif case.recipe.uses_up == "absence":
                self._do(ROOT_PAIR, "DELETE", f"/{case.asked(policy)[0]}")

    def each(self, do: Any, several: Iterable[Any]) -> list[Any]:
        """What comes of each, in several threads."""
        return list(self._pool.map(do, several))

    def ask(self, caller: Caller, case: Case, policy: str, style: str) -> Reply:
        """Status and body that somebody gets."""
        asked, pair = self._asked(case, policy), self._sessions.get(caller.name) or caller.pair(case)
        if style == NATIVE:
            assert pair is not None
            bucket = case.bucket(policy)
            sent = request_of(case.row.name, case.asked(policy)[0], KEY, self._uploads.get(bucket, "none"))
            return ask_once(self._native, (pair[0], pair[1]), sent, caller.expired)
        if style == FORM:
            asked = self._signer.form(asked, pair, KEY)
        elif pair is not None:
            asked = self._signed(asked, pair, style)
        return self._send(asked, unproven=caller.expired)

    def pair(self, caller: Caller) -> Pair | None:
        """A key pair of somebody, with the token of a session."""
        return self._sessions.get(caller.name) or caller.pair(self._cases[0])

    def administer(self, caller: Caller, row: Row, style: str) -> Reply:
        """Status and body of what somebody asks of the admin API. Who may change something is not asked to, nor to stream."""

        recipe = RECIPES[row.name]
        path, _, _ = target_of(row, "none").partition("?")
        body = b"" if recipe.body is None else json.dumps(recipe.body).encode()
        asked = Asked(method=row.method, path=path, query=recipe.query, body=body)
        return self._administer(caller, row, style, self._operators(), asked)

    def administer_minio(self, caller: Caller, row: MinioRow, style: str) -> Reply:
        """The same of what somebody asks of MinIO's face of it, on the port of S3."""
        recipe, pair = MINIO_RECIPES[row.name], self.pair(caller)
        body = b"" if recipe.body is None else json.dumps(recipe.body).encode()
        if row.body == SEALED:
            body = encrypt("" if pair is None else pair[1], body, PBKDF2_AES_GCM)
        asked = Asked(method=row.method, path=PREFIX + row.path, query=recipe.query, body=body)
        return self._administer(caller, row, style, f"127.0.0.1:{self._daemon.port}", asked)

    def _administer(self, caller: Caller, row: Row | MinioRow, style: str, host: str, asked: Asked) -> Reply:
        pair = self.pair(caller)
        if pair == ROOT_PAIR and style == HEADER and (row.changes or row.stream is not None):
            return 200, b""
        signer = Signer(host, self._daemon.region)
        if pair is not None:
            asked = signer.header(asked, pair) if style == HEADER else signer.presigned(asked, pair)
        return self._ask(host, asked)

    def administer_as_others(self, method: str, path: str, headers: dict[str, str]) -> Reply:
        """Status and body of what is asked of the faces of other servers' administrations."""
        asked = Asked(method=method, path=path, headers=headers, body=b"" if method == "GET" else b"{}")
        return self._ask(self._operators(), asked)

    def _operators(self) -> str:
        host = OPERATORS.search(self._daemon.log)
        assert host is not None
        return host[1]

    def _ask(self, host: str, asked: Asked) -> Reply:
        connection = HTTPConnection(host, timeout=PATIENCE)
        try:
            connection.request(asked.method, asked.target, asked.body or None, dict(asked.headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def kept(self) -> dict[str, list[Any]]:
        """Every row of the catalog that says what is stored and who there is."""
        catalog = self._daemon.data_dir / ".geckos3" / "catalog.sqlite"
        with sqlite3.connect(f"file:{catalog}?mode=ro", uri=True) as connection:
            return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}

    def _asked(self, case: Case, policy: str) -> Asked:
        bucket = case.bucket(policy)
        path, row, recipe = case.asked(policy), case.row, case.recipe
        words = {"BUCKET": bucket, "UPLOAD": self._uploads.get(bucket, "none"), "POLICY": harmless_policy(case, policy)}
        query = dict.fromkeys((name for name in row.selectors if not name.startswith("x-amz-")), "") | recipe.query
        body = _filled(recipe.body, words).encode()
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        return Asked(
            method=row.method,
            path=f"/{path[0]}/{KEY}" if row.target == OBJECT else f"/{path[0]}",
            query={name: _filled(value, words) for name, value in query.items()},
            headers={name: _filled(value, words) for name, value in recipe.headers.items()}
            | ({"content-md5": digest} if body and isinstance(row.body, Document) else {}),
            body=body,
        )

    def _signed(self, asked: Asked, pair: Pair, style: str) -> Asked:
        if style == JAY:
            return self._signer.jay(asked, pair, JAY_SECRET)
        return self._signer.header(asked, pair) if style == HEADER else self._signer.presigned(asked, pair)

    def _send(self, asked: Asked, unproven: bool = False) -> Reply:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = HTTPConnection("127.0.0.1", self._daemon.port, timeout=PATIENCE)
            self._connections.append(connection)
        headers = dict(asked.headers)
        if unproven:
            # Who fails to prove who it is waits longer and longer; so each comes from an address of its own.
            number = next(self._addresses)
            headers["x-forwarded-for"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        connection.request(asked.method, asked.target, asked.body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def _do(self, pair: Pair, method: str, path: str, body: bytes = b"", **query: str) -> bytes:
        """A request that must succeed, or find nothing."""
        status, answer = self._send(self._signer.header(Asked(method=method, path=path, query=query, body=body), pair))
        assert status < 300 or status == 404, (method, path, query, status, answer)
        return answer

    def _fill(self, case: Case) -> None:
        for policy in case.policies:
            bucket = case.bucket(policy)
            if case.row.target == OBJECT or case.recipe.uses_up == "object" or case.recipe.filled:
                self._put_objects(bucket)
            if "uploadId" in case.recipe.query:
                self._begin_upload(bucket)
            self._put_policy(case, policy)

    def _begin_session(self, caller: Caller) -> Pair:
        access_key, secret = caller.pair(self._cases[0]) or ("", "")
        client = boto3.client(
            "sts",
            endpoint_url=self._daemon.url,
            region_name=self._daemon.region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
        )
        arn = "arn:aws:iam:::role/any"
        given = client.assume_role(RoleArn=arn, RoleSessionName="matrix", Policy=caller.session)["Credentials"]
        return given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]

    def _put_objects(self, bucket: str) -> None:
        for key in (KEY, SOURCE):
            self._do(OWNER_PAIR, "PUT", f"/{bucket}/{key}", b"bytes")

    def _begin_upload(self, bucket: str) -> None:
        answer = self._do(OWNER_PAIR, "POST", f"/{bucket}/{KEY}", uploads="")
        self._uploads[bucket] = answer.decode().partition("<UploadId>")[2].partition("<")[0]

    def _put_policy(self, case: Case, policy: str) -> None:
        text = policy_text(case, policy)
        if policy != NONE:
            self._do(OWNER_PAIR, "PUT", f"/{case.bucket(policy)}", str(text).encode(), policy="")


def styles(caller: Caller, case: Case) -> tuple[str, ...]:
    """How a caller can ask."""
    if case.row.name == "PostObject":
        return (FORM,)
    if not caller.account:
        return (UNSIGNED,)
    # A frame names no version, and a handshake has no place for a session's token.
    framed = case.row.name in OPERATIONS and not case.versioned and not caller.session
    # A URL of Jay's kind has no place for one either.
    linked = case.row.target == OBJECT and not caller.session
    return HEADER, PRESIGNED, *([NATIVE] if framed else []), *([JAY] if linked else [])


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


OWNER_PAIR = next(one.pair(None) for one in CALLERS if one.name == "owner")  # type: ignore[arg-type]

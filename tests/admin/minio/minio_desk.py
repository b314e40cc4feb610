"""MinIO's face over a store in memory, and somebody who asks."""

import json
from typing import Any
from urllib.parse import urlencode

from attrs import define

from gecko_tw.admin.audit import AuditLog
from gecko_tw.admin.minio.face import MinioFace
from gecko_tw.admin.minio.messages import PBKDF2_AES_GCM, decrypt, encrypt
from gecko_tw.admin.minio.metrics import MinioMetrics
from gecko_tw.admin.minio.rows import PREFIX, SEALED, V3, MinioRow
from gecko_tw.admin.minio.table import MINIO_ROWS
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, AccessKey, Group, User
from gecko_tw.callers.iam.policies import create_managed
from gecko_tw.resources.dispatch.tree import ServiceResource
from tests.admin.desk import ROOT, Desk, desk
from tests.admin.minio.recipes import RECIPES, target_of
from tests.admin.recipes import READING
from tests.resources.asking import FakeRequest

READONLY = "arn:aws:iam::aws:policy/minio/readonly"


@define
class MinioDesk:
    """The face, and what stands behind it."""

    desk: Desk

    def row(self, row: MinioRow, who: str | None = ROOT) -> FakeRequest:
        """The recipe of a row, handed to the tree."""
        return self.send(row, target_of(row), RECIPES[row.name].body, who)

    def send(self, row: MinioRow, target: str, body: Any = None, who: str | None = ROOT) -> FakeRequest:
        """One request; the body is encrypted where the row wants that."""
        data = None if body is None else json.dumps(body).encode()
        if data is not None and row.body == SEALED:
            # The quickest of the three.
            data = encrypt(self.desk.secret_of(who or ROOT), data, PBKDF2_AES_GCM)
        return self.desk.send(row.method, target, data, who)

    def ask(self, name: str, body: Any = None, /, who: str | None = ROOT, **query: str) -> FakeRequest:
        """What a row answers to parameters; those with a dash have an underscore."""
        row = next(one for one in MINIO_ROWS.rows if one.name == name)
        pairs = {key.replace("_", "-"): value for key, value in query.items()}
        return self.send(row, PREFIX + row.path + (f"?{urlencode(pairs)}" if pairs else ""), body, who)

    def values(self, name: str, body: Any = None, /, who: str = ROOT, **query: str) -> Any:
        """What is answered when all is well."""
        row = next(one for one in MINIO_ROWS.rows if one.name == name)
        reply = self.ask(name, body, who, **query)
        assert reply.status == row.status, reply.body
        return self.read(row, reply, who)

    def read(self, row: MinioRow, reply: FakeRequest, who: str = ROOT) -> Any:
        """The JSON of an answer, None when there is none."""
        if not reply.body:
            return None
        return json.loads(decrypt(self.desk.secret_of(who), reply.body) if row.answers == SEALED else reply.body)

    def code(self, reply: FakeRequest) -> tuple[int, str]:
        """Status and code of a refusal."""
        told = json.loads(reply.body)
        assert sorted(told) == ["Code", "HostId", "Message", "RequestId", "Resource"]
        return reply.status, told["Code"]


def minio_desk(admin: bool = True, metrics: str = "jwt", auth: bool = True) -> MinioDesk:
    """A new one: two users with keys, a group with both policies and one of them, a policy, a bucket."""
    made = desk(auth=auth)
    log = AuditLog("stdout", made.audited.append)
    scraped = MinioMetrics(made.ground, metrics, lambda: b"node\n")
    face = MinioFace(made.service, MINIO_ROWS if admin else None, made.ground, log, scraped)
    made.resource = ServiceResource(made.service, face)  # type: ignore[assignment] # it is asked in the same way
    registry = made.ground.registry
    create_managed(registry, ROOT_ACCOUNT, "own", json.dumps(READING), path="/", description="", tags={})
    registry.put_group(Group(account=ROOT_ACCOUNT, name="staff", attached=(READONLY,)))
    registry.put_user(User(account=ROOT_ACCOUNT, name="ann", groups=("staff",)))
    registry.put_user(User(account=ROOT_ACCOUNT, name="bob"))
    for key, user in (("ann", "ann"), ("annsecond", "ann"), ("bob", "bob"), ("rootsecond", "")):
        registry.put_key(AccessKey(access_key=key, secret=f"secret-of-{key}", account=ROOT_ACCOUNT, user=user))
    return MinioDesk(made)


__all__ = ["V3", "MinioDesk", "minio_desk"]

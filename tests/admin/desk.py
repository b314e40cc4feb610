"""The admin API over a store in memory, and somebody who asks."""

import json
from typing import Any

from attrs import define, field
from twisted.internet.task import Clock

from gecko_tw.admin.api import AdminApi
from gecko_tw.admin.audit import AuditLog
from gecko_tw.admin.ground import Ground, Live
from gecko_tw.admin.table import ROWS
from gecko_tw.admin.tree import AdminResource
from gecko_tw.callers.accounts.directory import Directory
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, AccessKey, Account, Group, OnePair, User
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.callers.accounts.sealing import Sealer
from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.daemon.deployment import Store
from gecko_tw.jobs.ledger import Ledger
from gecko_tw.resources.access_logs.entries import AccessEntry
from gecko_tw.resources.access_logs.recent import Recent, recent_file
from gecko_tw.resources.dispatch.families import built_in
from gecko_tw.resources.gates.logins import Logins
from gecko_tw.resources.service import Service
from gecko_tw.settings import Settings
from gecko_tw.store.buckets import Buckets
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.encryption.keyring import rings_of
from gecko_tw.store.integrity.quarantine import Quarantine
from gecko_tw.store.objects import Objects
from gecko_tw.store.records import BucketRecord, Upload
from gecko_tw.store.requests import Put
from gecko_tw.store.upkeep import Upkeep
from gecko_tw.store.uploads import Uploads
from gecko_tw.wire.head import head_of
from tests.admin.recipes import READING, TARGET
from tests.resources.asking import NOW, FakeRequest, FakeUpload, InlinePool
from tests.store.encryption.rings import data_keys

ROOT, SECRET = "geckoadmin", "the secret of the settings"


@define
class Desk:
    """The API, and all that it has told."""

    service: Service
    ground: Ground
    clock: Clock
    audited: list[str]
    log: list[AccessEntry]
    resource: AdminResource = field(init=False)
    upload: str = "u1"

    def ask(
        self, method: str, target: str, body: Any = None, who: str | None = ROOT, **headers: str | None
    ) -> FakeRequest:
        """One request, driven to its end; ``body`` is JSON, or bytes as they are."""
        request = self.send(method, target, body, who, **headers)
        assert request.finished == 1, "the request was not answered, or twice"
        return request

    def send(
        self, method: str, target: str, body: Any = None, who: str | None = ROOT, **headers: str | None
    ) -> FakeRequest:
        """One request, handed to the tree."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        raw = {b"host": b"admin.test:9001", b"content-length": b"%d" % len(data), b"content-type": b"application/json"}
        if who is not None:
            raw[b"authorization"] = f"Bearer {who}:{self.secret_of(who)}".encode()
        for name, value in headers.items():
            raw.pop(name.replace("_", "-").encode(), None)
            if value is not None:
                raw[name.replace("_", "-").encode()] = value.encode("latin-1")
        head = head_of(method, target.encode("latin-1"), raw, peer="192.0.2.1:4711")
        request = FakeRequest(head, FakeUpload([data] if data else [], len(data)))
        self.resource.render(request)
        return request

    def secret_of(self, who: str) -> str:
        """Of the settings' pair, or of a key that :meth:`settle` made."""
        return SECRET if who == ROOT else f"secret-of-{who}"

    def settle(self, key: str, account: str, user: str = "", *actions: str, **more: Any) -> str:
        """Somebody new with a key of that name, and a policy that allows these actions; returns the key."""
        registry = self.ground.registry
        if user:
            statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            registry.put_user(User(account=account, name=user, policies={"p": policy} if actions else {}))
        registry.put_key(AccessKey(access_key=key, secret=self.secret_of(key), account=account, user=user, **more))
        return key

    def values(self, method: str, target: str, body: Any = None, **more: Any) -> Any:
        """What is answered when all is well."""
        reply = self.ask(method, target, body, **more)
        assert reply.status < 300, reply.body
        return json.loads(reply.body) if reply.body else None


def desk(settings: Settings | None = None, auth: bool = True) -> Desk:
    """A new one: an account with a user, a group, keys and buckets."""
    settings = settings or Settings(secret_key=SECRET, webhook=("hook=http://name:pass@hooks.test/in?token=hidden",))
    clock, log, audited = Clock(), [], []
    clock.advance(NOW)
    driver = MemoryDriver(clock.seconds)
    sealer = Sealer(b"k" * 32)
    objects = Objects(driver.catalog, driver.blobs, keys=data_keys())
    uploads = Uploads(objects, min_part_size=0)
    registry = Registry(driver.documents, sealer, ROOT)
    identities = Directory(registry, OnePair(ROOT, SECRET))
    store = Store(
        buckets=Buckets(driver.catalog),
        objects=objects,
        uploads=uploads,
        upkeep=Upkeep(uploads),
        documents=driver.documents,
        notices=driver.notices,
        registry=registry,
        quarantine=Quarantine(objects, driver.documents),
    )
    recent, ledger = Recent(recent_file(1), 1, 0), Ledger()
    ledger.scheduled("scan", 3600.0, NOW)
    service = Service(
        buckets=store.buckets,
        objects=objects,
        uploads=uploads,
        table=built_in(),
        authenticator=Authenticator(identities, clock.seconds, None, auth),
        catalog_pool=InlinePool(),
        bytes_pool=InlinePool(),
        commit_pool=InlinePool(),
        clock=clock,
        identities=identities,
        registry=registry,
        observers=(log.append, recent.add),
        notices=driver.notices,
        logins=Logins(Tally(), clock),
        delivers=lambda target: target == TARGET,
    )
    live = Live(
        started=NOW - 60,
        jobs=ledger,
        requests=recent,
        gauges=lambda: {"connections": 1.0},
        places=({"place": "0.0.0.0:9000", "site": "s3", "secure": False},),
        delivers=service.delivers,
    )
    ground = Ground(
        settings=settings,
        store=store,
        identities=identities,
        rings=rings_of(driver.documents, sealer),
        sizes=lambda: {"disk_free_bytes": ("What is free.", 7.0), "disk_size_bytes": ("How large it is.", 9.0)},
        clock=clock.seconds,
        daemon=live,
    )
    made = Desk(service, ground, clock, audited, log)
    api = AdminApi(service, ROWS, ground, AuditLog("stdout", audited.append))
    made.resource = AdminResource(service, lambda: b"metrics\n", (api,))
    _furnish(made)
    return made


def _furnish(made: Desk) -> None:
    """What the recipes need."""
    registry, store = made.ground.registry, made.ground.store
    for name in ("main", "alone"):
        registry.put_account(Account(id=name, display_name=name))
    for name in ("readers", "writers"):
        registry.put_group(Group(account="main", name=name, policies={"own": json.dumps(READING)}))
    registry.put_user(User(account="main", name="ann", groups=("writers",), policies={"own": json.dumps(READING)}))
    registry.put_user(User(account="main", name="gone"))
    registry.put_key(AccessKey(access_key="annkey", secret="secret-of-annkey", account="main", user="ann"))
    for name in ("photos", "nothing-in-it"):
        store.buckets.create(BucketRecord(name=name, created=1, owner=ROOT_ACCOUNT))
    incoming = store.objects.receive(())
    incoming.push(b"meow")
    store.objects.put("photos", b"cat", incoming, Put(now=1))
    store.uploads.create("photos", b"large", Upload(id=made.upload, initiated=1))
    made.ground.rings.add("there")

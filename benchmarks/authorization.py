"""`python -m benchmarks.authorization`: what it costs to know who asks, and whether they may, of a GET of 4 KiB.

A user's key in a bucket with a policy is held against the settings' key in one without, in this process and by turns, so that whatever
else the machine does hits both. Other callers are shown for comparison.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import click
from attrs import evolve, frozen
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gecko_tw.callers.accounts.directory import Directory
from gecko_tw.callers.accounts.identities import AccessKey, Account, Group, OnePair, User
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.families import built_in
from gecko_tw.resources.dispatch.operations import GET, OBJECT
from gecko_tw.resources.gates.permits import permit_found, permit_row
from gecko_tw.resources.service import Service
from gecko_tw.settings import Settings
from gecko_tw.store.buckets import Buckets
from gecko_tw.store.objects import Objects
from gecko_tw.store.records import BucketRecord, Version, now_of
from gecko_tw.store.requests import Put
from gecko_tw.store.uploads import Uploads
from gecko_tw.wire.head import Head, head_of

PLAIN, GUARDED = "plain", "guarded"
KEY = b"small/00001"
BATCH = 200
"""Requests in a turn."""

_USERS = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{GUARDED}/*"}
_GROUPS = {"Effect": "Allow", "Action": "s3:List*", "Resource": "*"}
_BUCKET = [
    {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{GUARDED}", f"arn:aws:s3:::{GUARDED}/*"],
        "Condition": {"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"]}},
    },
    {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::shop:user/ann"},
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": f"arn:aws:s3:::{GUARDED}/*",
    },
    {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{GUARDED}",
        "Condition": {"StringLike": {"s3:prefix": "public/*"}},
    },
]


@frozen
class Row:
    """Who asks for an object in which bucket."""

    name: str
    pair: tuple[str, str]
    bucket: str


ROWS = (
    Row("settings' key, no policy", ("root", "root-secret"), PLAIN),
    Row("user's key, bucket policy", ("ann", "ann-secret"), GUARDED),
    Row("settings' key, bucket policy", ("root", "root-secret"), GUARDED),
    Row("account's key, no policy", ("shop", "shop-secret"), PLAIN),
    Row("account's key, bucket policy", ("shop", "shop-secret"), GUARDED),
)


@contextmanager
def store(folder: Path) -> Iterator[tuple[Service, Version]]:
    """A service over the default driver with both buckets, an object and everybody in it."""
    root = OnePair("root", "root-secret")
    data = DataDir(Settings(data_dir=folder, access_key="root", encryption_key="k" * 32))
    data.open()
    try:
        service = _service(data, Authenticator(Directory(data.registry, root), time.time))
        _declare(data)
        for name in (PLAIN, GUARDED):
            service.buckets.create(BucketRecord(name=name, created=now_of(time.time()), owner="shop"))
            incoming = service.objects.receive()
            incoming.push(os.urandom(4096))
            version = service.objects.put(name, KEY, incoming, Put(now=now_of(time.time()), owner="shop"))
        service.buckets.change(GUARDED, lambda record: record.with_setting("policy", _document(*_BUCKET)))
        yield service, version
    finally:
        data.close()


def _service(data: DataDir, authenticator: Authenticator) -> Service:
    objects = Objects(data.driver.catalog, data.driver.blobs)
    unused: Any = None
    return Service(
        buckets=Buckets(data.driver.catalog),
        objects=objects,
        uploads=Uploads(objects),
        table=built_in(),
        authenticator=authenticator,
        catalog_pool=unused,
        bytes_pool=unused,
        commit_pool=unused,
        clock=_Clock(),
    )


class _Clock:
    seconds = staticmethod(time.time)


def _declare(data: DataDir) -> None:
    """An account, a user of it with a policy and in a group with another, and a key of each."""
    registry = data.registry
    registry.put_account(Account(id="shop"))
    registry.put_group(Group(account="shop", name="readers", policies={"list": _document(_GROUPS)}))
    registry.put_user(User(account="shop", name="ann", groups=("readers",), policies={"own": _document(_USERS)}))
    registry.put_key(AccessKey(access_key="shop", secret="shop-secret", account="shop"))
    registry.put_key(AccessKey(access_key="ann", secret="ann-secret", account="shop", user="ann"))


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def signed(row: Row) -> Head:
    """A GET as an SDK signs it."""
    url = f"http://127.0.0.1:9000/{row.bucket}/{KEY.decode()}"
    asked = AWSRequest(method="GET", url=url, headers={"User-Agent": "benchmark", "Accept-Encoding": "identity"})
    S3SigV4Auth(Credentials(*row.pair), "s3", "us-east-1").add_auth(asked)
    parts = urlsplit(url)
    headers = {b"host": parts.netloc.encode()}
    headers |= {name.lower().encode(): value.encode() for name, value in asked.headers.items()}
    return evolve(head_of("GET", parts.path.encode(), headers), peer="192.0.2.1:40000")


def turn(service: Service, row: Row, head: Head, version: Version) -> Callable[[], float]:
    """Microseconds of CPU that each of BATCH requests takes."""
    operation = service.table.resolve(GET, OBJECT, frozenset())

    def ask() -> None:
        call = Call(None, head, {}, row.bucket, KEY, operation, service, None, head.headers)
        call.caller = service.authenticator.authenticate(head)
        try:
            permit_row(call).send(None)  # type: ignore[attr-defined]
        except StopIteration:
            permit_found(call, version)

    def measure() -> float:
        begin = time.thread_time_ns()
        for _ in range(BATCH):
            ask()
        return (time.thread_time_ns() - begin) / BATCH / 1000

    return measure


@click.command()
@click.option("--requests", default=20_000, show_default=True, help="Requests of each row.")
def main(requests: int) -> None:
    """Measures on this machine."""
    with tempfile.TemporaryDirectory(prefix="geckos3-bench-") as name, store(Path(name)) as (service, version):
        turns = [turn(service, row, signed(row), version) for row in ROWS]
        found: list[list[float]] = [[] for _ in ROWS]
        for _ in range(requests // BATCH):
            for times, measure in zip(found, turns, strict=True):
                times.append(measure())
        least = median(found[0])
        click.echo(
            f"authentication and authorization of a GET, median CPU of {requests:,} requests by turns of {BATCH}"
        )
        for row, times in zip(ROWS, found, strict=True):
            click.echo(f"{row.name:30} {median(times):7.1f} us   {median(times) - least:+6.1f} us")


if __name__ == "__main__":
    main()

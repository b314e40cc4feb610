"""What load balancers and compose files ask for."""

from collections.abc import Callable

import pytest

from gecko_tw.resources.dispatch.health import LIVE, READY
from gecko_tw.resources.dispatch.readiness import FRESH, TIMEOUT, Readiness
from tests.resources.asking import FakeRequest, HeldPool, InlinePool, Shop, shop


def failing() -> None:
    raise OSError(5, "Input/output error")


class Disk:
    """A disk that works or does not; counts how often it was looked at."""

    def __init__(self) -> None:
        self.looks = 0
        self.look: Callable[[], None] = lambda: None

    def __call__(self) -> None:
        self.looks += 1
        self.look()


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def there(disk: Disk) -> Shop:
    there = shop(auth=True, max_in_flight=0)
    there.service.readiness = Readiness(disk, InlinePool(), there.clock)
    return there


def hanging(disk: Disk) -> tuple[Shop, HeldPool]:
    there, pool = shop(auth=True), HeldPool()
    there.service.readiness = Readiness(disk, pool, there.clock)
    return there, pool


def status(there: Shop, target: str, method: str = "GET") -> int:
    return there.ask(method, target).status


@pytest.mark.parametrize("target", [path.decode() for path in (*LIVE, *READY)])
def test_health_is_answered_to_anybody_however_busy(there: Shop, target: str) -> None:
    reply = there.ask("GET", target)
    assert (reply.status, reply.body) == (200, b"" if target.startswith("/minio") else b"OK")
    assert reply.header("content-type") == "text/plain"
    assert reply.header("x-amz-request-id")
    assert status(there, target, "HEAD") == 200
    assert [entry.status for entry in there.log] == [200, 200]


def test_a_disk_that_fails_is_not_ready_and_the_process_lives(there: Shop, disk: Disk) -> None:
    disk.look = failing
    assert {status(there, path.decode()) for path in READY} == {503}
    assert {status(there, path.decode()) for path in LIVE} == {200}
    disk.look = lambda: None
    there.clock.advance(FRESH)
    assert status(there, "/health/ready") == 200


def test_the_disk_is_looked_at_once_a_second(there: Shop, disk: Disk) -> None:
    for _ in range(5):
        status(there, "/health/ready")
        status(there, "/health")
    assert disk.looks == 1
    there.clock.advance(FRESH)
    status(there, "/health/ready")
    assert disk.looks == 2


def test_a_disk_that_hangs_is_not_ready_and_takes_one_thread(disk: Disk) -> None:
    there, pool = hanging(disk)
    waiting = [there.send("GET", "/health/ready") for _ in range(3)]
    assert [request.status for request in waiting] == [0, 0, 0]
    there.clock.advance(TIMEOUT)
    assert [request.status for request in waiting] == [503, 503, 503]
    there.clock.advance(FRESH)
    later = there.send("GET", "/health/ready")
    assert len(pool.waiting) == 1
    assert status(there, "/health") == 200
    pool.work()
    assert later.status == 200
    assert not there.clock.getDelayedCalls()


@pytest.fixture
def asked() -> Shop:
    """Somebody has a bucket that is called as our own places are."""
    there = shop()
    there.ask("PUT", "/health")
    there.ask("PUT", "/health/ready", b"an object")
    return there


def signed(there: Shop, method: str, target: str) -> FakeRequest:
    return there.ask(method, target, headers={"authorization": "AWS key:signature"})


def test_whatever_is_signed_or_has_a_query_is_s3(asked: Shop) -> None:
    assert b"<ListBucketResult" in signed(asked, "GET", "/health").body
    assert b"<ListBucketResult" in asked.ask("GET", "/health?list-type=2").body
    assert b"<ListBucketResult" in asked.ask("GET", "/health/").body
    assert signed(asked, "GET", "/health/ready").body == b"an object"
    assert asked.ask("GET", "/health/ready?versionId=null").body == b"an object"
    assert signed(asked, "HEAD", "/health").header("x-amz-bucket-region")
    assert asked.ask("GET", "/health").body == b"OK"
    assert asked.ask("PUT", "/health/me", b"x").status == 200
    assert asked.ask("GET", "/health/me").body == b"x"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("PUT", "/minio/admin/v3/add-user?accessKey=ann"),
        ("GET", "/minio/admin/v3/info"),
        ("GET", "/minio/v2/metrics/cluster"),
        ("PUT", "/minio/health/ready"),
        ("GET", "/minio/health/ready?x"),
        ("POST", "/minio/kms/v1/key/create"),
    ],
)
def test_what_minio_has_and_we_lack_is_never_taken_for_an_object(asked: Shop, method: str, target: str) -> None:
    for reply in (asked.ask(method, target), signed(asked, method, target)):
        assert reply.status == 501
        assert b"<Code>NotImplemented</Code>" in reply.body


def test_nobody_can_make_a_bucket_where_minios_own_places_are(asked: Shop) -> None:
    reply = asked.ask("PUT", "/minio")
    assert reply.status == 400
    assert b"<Code>InvalidBucketName</Code>" in reply.body
    assert asked.ask("PUT", "/minio2").status == 200
    assert asked.ask("PUT", "/minio2/admin", b"x").status == 200

"""Requests that come through proxies: what they address, and who is said to have sent them."""

from typing import Any

import pytest
from twisted.web.resource import Resource, getChildForRequest

from gecko_tw.callers.signatures.proxies import Front
from gecko_tw.resources.dispatch.tree import ServiceResource
from gecko_tw.wire.head import head_of
from tests.resources.asking import FakeRequest, FakeUpload, shop

TOLD = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", "x-forwarded-host": "photos.s3.test"}


@pytest.mark.parametrize("prefix", ["/s3", "/deep/er"])
def test_below_a_prefix_everything_is_where_it_is_without(prefix: str) -> None:
    there = shop(front=Front(prefix=prefix.encode()))
    assert there.ask("PUT", f"{prefix}/photos").status == 200
    assert there.ask("PUT", f"{prefix}/photos/a%2Fb//c", b"cat").status == 200
    assert there.ask("GET", "/photos/a%2Fb//c").body == b"cat"
    assert b"<Name>photos</Name>" in there.ask("GET", prefix).body
    assert b"<Name>photos</Name>" in there.ask("GET", prefix + "/").body
    assert there.ask("GET", prefix + "/health").body == b"OK"
    assert there.log[0].target == f"{prefix}/photos".encode()


def test_resources_beside_the_buckets_are_below_the_prefix_too() -> None:
    class Shown(Resource):
        isLeaf = True

    root = ServiceResource(shop(front=Front(prefix=b"/s3")).service)
    shown = Shown()
    root.putChild(b"_metrics", shown)
    request: Any = FakeRequest(head_of("GET", b"/s3/_metrics/a%2Fb/c"), FakeUpload([], 0))
    assert getChildForRequest(root, request) is shown
    assert (request.prepath, request.postpath) == ([b"_metrics"], [b"a/b", b"c"])


def test_the_host_that_a_trusted_proxy_tells_names_the_bucket() -> None:
    there = shop(domains=("s3.test",), front=Front(trusted=1, domains=("s3.test",)))
    there.ask("PUT", "/photos")
    assert there.ask("PUT", "/cat.jpg", b"cat", headers={"host": "backend:9000", **TOLD}).status == 200
    assert there.ask("GET", "/photos/cat.jpg").body == b"cat"


def test_without_trusted_proxies_nobody_is_believed() -> None:
    there = shop(domains=("s3.test",))
    there.ask("GET", "/none", headers={"host": "backend:9000", **TOLD})
    assert there.log[-1].peer == "192.0.2.1:4711"
    assert there.log[-1].operation == "ListObjects"


def test_the_log_tells_the_clients_address() -> None:
    there = shop(front=Front(trusted=1))
    there.ask("GET", "/", headers=TOLD)
    there.ask("GET", "/", headers={"x-forwarded-for": "spoofed, 2001:db8::1"})
    assert [entry.peer for entry in there.log] == ["203.0.113.9", "[2001:db8::1]"]


def test_an_answer_tells_the_url_that_the_client_can_use() -> None:
    front = Front(trusted=1, prefix=b"/s3", domains=("s3.test",))
    there = shop(domains=("s3.test",), front=front)
    there.ask("PUT", "/photos")
    form = (
        b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\ncat\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="cat"\r\n\r\nmew\r\n--x--\r\n'
    )
    headers = {"content-type": "multipart/form-data; boundary=x", "host": "backend:9000"}
    answer = there.ask("POST", "/", form, headers={**headers, **TOLD})
    assert answer.header("Location") == "https://photos.s3.test/cat"
    answer = there.ask("POST", "/photos", form, headers={**headers, **TOLD, "x-forwarded-host": "s3.test"})
    assert answer.header("Location") == "https://s3.test/s3/photos/cat"

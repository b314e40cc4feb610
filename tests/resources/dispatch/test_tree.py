"""What a path addresses."""

from traceback import walk_tb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.web.resource import Resource

from gecko_tw.resources.answers.refusals import InvalidURI
from gecko_tw.resources.dispatch.health import HealthResource
from gecko_tw.resources.dispatch.keys import decode
from gecko_tw.resources.dispatch.operations import OBJECT
from gecko_tw.resources.dispatch.tree import BucketResource, ObjectResource, ServiceResource
from gecko_tw.resources.pipeline import Address, serve
from gecko_tw.wire.head import head_of
from tests.resources.asking import FakeRequest, FakeUpload, Shop, shop

SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")


def encoded(key: bytes) -> bytes:
    return b"".join(bytes((byte,)) if byte in SAFE else b"%%%02X" % byte for byte in key)


@pytest.fixture
def there() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    return there


@given(
    st.binary(min_size=1, max_size=60)
    | st.sampled_from([b"/", b"//", b"../x", b"./a", b"a//b/", b"%2F", b"+", b"\x00"])
)
def test_any_key_is_kept_byte_for_byte(key: bytes) -> None:
    there = shop()
    there.ask("PUT", "/photos")
    assert there.ask("PUT", b"/photos/" + encoded(key), b"hello").status == 200
    assert there.service.objects.look("photos", key).size == 5
    assert there.ask("GET", b"/photos/" + b"".join(b"%%%02x" % byte for byte in key)).body == b"hello"


def test_a_key_is_decoded_exactly_once(there: Shop) -> None:
    there.ask("PUT", "/photos/100%2525", b"x")
    assert there.service.objects.look("photos", b"100%25").size == 1


def test_a_key_may_have_1024_bytes_and_no_more(there: Shop) -> None:
    assert there.ask("PUT", "/photos/" + "k" * 1024).status == 200
    reply = there.ask("PUT", "/photos/" + "k" * 1025)
    assert reply.status == 400
    assert b"<Code>KeyTooLongError</Code>" in reply.body
    assert b"<Size>1025</Size><MaxSizeAllowed>1024</MaxSizeAllowed>" in reply.body


@pytest.mark.parametrize("target", ["/photos/a%", "/photos/a%2", "/photos/a%zz", "/ph%otos", "nonsense"])
def test_a_path_that_is_badly_encoded_is_refused(there: Shop, target: str) -> None:
    reply = there.ask("GET", target)
    assert reply.status == 400
    assert b"<Code>InvalidURI</Code>" in reply.body


@given(st.binary(max_size=20))
def test_decoding_undoes_encoding(raw: bytes) -> None:
    assert decode(encoded(raw)) == raw


@pytest.mark.parametrize("target", ["/photos", "/photos/"])
def test_a_bucket_is_the_same_with_and_without_its_slash(there: Shop, target: str) -> None:
    assert there.ask("HEAD", target).header("x-amz-bucket-region") == "us-east-1"


def test_a_path_without_a_bucket_is_no_listing_of_buckets(there: Shop) -> None:
    for method, target in (
        ("GET", "//"),
        ("GET", "//photos"),
        ("PUT", "//k"),
        ("POST", "//k?uploads"),
        ("PUT", "//?policy"),
    ):
        reply = there.ask(method, target)
        assert reply.status == 400
        assert b"<Code>InvalidBucketName</Code>" in reply.body


@pytest.mark.parametrize("host", ["photos.s3.test", "PHOTOS.S3.test:9000"])
def test_a_bucket_may_stand_in_the_name_of_the_host(host: str) -> None:
    there = shop(domains=("s3.test",))
    assert there.ask("PUT", "/", headers={"host": host}).status == 200
    there.ask("PUT", "/health", b"I am an object", headers={"host": host})
    assert there.ask("GET", "/health", headers={"host": host}).body == b"I am an object"
    assert there.ask("GET", "/photos/health", headers={"host": "s3.test"}).body == b"I am an object"


@pytest.mark.parametrize("host", ["s3.test", "other.test", "", "[::1]:9000", "xs3.test"])
def test_other_hosts_name_no_bucket(host: str) -> None:
    there = shop(domains=("s3.test",))
    there.ask("PUT", "/photos", headers={"host": "s3.test"})
    assert there.ask("HEAD", "/photos", headers={"host": host}).status == 200


def test_a_path_that_is_refused_again_and_again_keeps_nothing_of_the_requests(there: Shop) -> None:
    refusal = InvalidURI()
    request = FakeRequest(head_of("GET", b"/%zz", {b"host": b"s3.test"}), FakeUpload([], 0))
    depths = set()
    for _ in range(3):
        serve(there.service, request, Address(OBJECT, refusal=refusal))
        depths.add(len(list(walk_tb(refusal.__traceback__))))
    assert len(depths) == 1


def test_another_resource_may_stand_beside_the_buckets(there: Shop) -> None:
    root, other = ServiceResource(there.service), Resource()
    root.putChild(b"_metrics", other)
    request = FakeRequest(head_of("GET", b"/_metrics", {}), FakeUpload([], 0))
    assert root.getChildWithDefault(b"_metrics", request) is other


@pytest.mark.parametrize(
    ("target", "kind"),
    [(b"/photos", BucketResource), (b"/photos/a/b", ObjectResource), (b"/health", HealthResource)],
)
def test_the_tree_names_and_is_rendered_when_the_head_is_in(there: Shop, target: bytes, kind: type) -> None:
    request = FakeRequest(head_of("GET", target, {}), FakeUpload([], 0))
    found = ServiceResource(there.service).getChildWithDefault(b"", request)
    assert isinstance(found, kind)
    assert found.renders_at_head
    assert found.isLeaf

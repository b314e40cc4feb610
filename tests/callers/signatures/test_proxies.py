"""Whom to believe about a request, and which other requests a signature may have been made for."""

from ipaddress import ip_address

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.refusals import SignatureDoesNotMatch
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.callers.signatures.header import header_claim
from gecko_tw.callers.signatures.proxies import Front, client_address, forwarded_host, neighbourhood, secure
from gecko_tw.callers.signatures.v4 import canonical_request, sign, signing_key, string_to_sign
from gecko_tw.wire.head import Head, head_of
from tests.callers.signatures.signing import (
    ACCESS_KEY,
    NOW,
    SECRET,
    presigned,
    signed_by_header,
    with_header,
    with_target,
)

ADDRESSES = st.ip_addresses().map(str)
JUNK = st.text('0123456789abcdef.:, []"=unknown-', max_size=40).map(str.encode)


def door(front: Front) -> Authenticator:
    return Authenticator(OnePair(ACCESS_KEY, SECRET), lambda: NOW, front=front)


def verifies(head: Head, **front: object) -> bool:
    """Whether a request that came in is let in by a server that knows this of the proxies in front of it."""
    known = Front(**front)  # type: ignore[arg-type]
    try:
        door(known).authenticate(known.arrived(head))
    except SignatureDoesNotMatch:
        return False
    return True


# ---- the client's address


@given(spoofed=JUNK, client=ADDRESSES, proxies=st.lists(ADDRESSES, max_size=3), spaces=st.sampled_from([b",", b", "]))
def test_whatever_a_client_writes_itself_its_address_is_the_one_the_proxies_saw(
    spoofed: bytes, client: str, proxies: list[str], spaces: bytes
) -> None:
    told = spaces.join([spoofed, client.encode(), *(proxy.encode() for proxy in proxies)])
    head = head_of("GET", b"/", {b"x-forwarded-for": told}, peer="192.0.2.1:80")
    found = client_address(head, 1 + len(proxies))
    mapped = getattr(ip_address(client), "ipv4_mapped", None)
    assert found == str(mapped or ip_address(client))
    assert client_address(head, 0) is None


@given(value=JUNK, trusted=st.integers(0, 5))
def test_no_header_breaks_anything(value: bytes, trusted: int) -> None:
    names = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port")
    head = head_of("GET", b"/", dict.fromkeys(names, value), peer="192.0.2.1:80")
    arrived = Front(trusted=trusted).arrived(head)
    assert arrived.peer
    assert not client_address(head, trusted) or trusted <= value.count(b",") + 1


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (b"203.0.113.9", "203.0.113.9"),
        (b"203.0.113.9:4711", "203.0.113.9"),
        (b"[2001:DB8::1]:4711", "2001:db8::1"),
        (b"2001:db8:0::1", "2001:db8::1"),
        (b"::ffff:203.0.113.9", "203.0.113.9"),
        (b"unknown", None),
        (b"", None),
    ],
)
def test_addresses_are_read_with_and_without_ports(told: bytes, found: str | None) -> None:
    assert client_address(head_of("GET", b"/", {b"x-forwarded-for": told}), 1) == found


def test_who_did_not_come_through_all_proxies_is_who_connected_and_is_believed_nothing() -> None:
    headers = {b"x-forwarded-for": b"203.0.113.9", b"x-forwarded-proto": b"https", b"x-forwarded-host": b"spoofed"}
    head = head_of("GET", b"/", headers, peer="192.0.2.1:80")
    assert Front(trusted=2).arrived(head) is head
    arrived = Front(trusted=1).arrived(head)
    assert (arrived.peer, arrived.secure, arrived.headers[b"host"]) == ("203.0.113.9", True, b"spoofed")
    assert Front().arrived(head) is head


def test_a_trusted_proxy_tells_scheme_host_and_port() -> None:
    told = {b"x-forwarded-proto": b"http, https", b"x-forwarded-host": b"s3.example.com", b"x-forwarded-port": b"8443"}
    head = head_of("GET", b"/", told)
    assert (secure(head, 1), secure(head, 2), secure(head, 0)) == (True, False, False)
    assert forwarded_host(head, 1) == b"s3.example.com:8443"
    usual = with_header(head, b"x-forwarded-port", b"443")
    assert forwarded_host(usual, 1) == b"s3.example.com"
    assert not secure(evolve(with_header(head, b"x-forwarded-proto", b"http"), secure=True), 1)


def test_ipv6_clients_are_counted_by_network_and_ipv4_ones_by_address() -> None:
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:2") != neighbourhood("2001:db8:0:1::1")
    assert neighbourhood("192.0.2.1") != neighbourhood("192.0.2.2")
    assert neighbourhood("") == ""


# ---- what was signed


@pytest.mark.parametrize("make", [signed_by_header, presigned])
def test_a_signature_for_a_name_the_operator_lists_is_good_and_for_another_is_not(make) -> None:  # type: ignore[no-untyped-def]
    head = with_header(make(), b"host", b"172.17.0.2:9000")
    assert not verifies(head)
    assert verifies(head, aliases=(b"minio:9000", b"localhost:9000"))
    assert not verifies(head, aliases=(b"minio:9000",))


def test_the_host_that_a_trusted_proxy_tells_is_tried() -> None:
    told = {b"host": b"backend:9000", b"x-forwarded-for": b"203.0.113.9", b"x-forwarded-host": b"localhost:9000"}
    head = signed_by_header()
    head = evolve(head, headers={**head.headers, **told})
    assert not verifies(head)
    assert verifies(head, trusted=1)
    without_port = with_header(with_header(head, b"x-forwarded-host", b"localhost"), b"x-forwarded-port", b"9000")
    assert verifies(without_port, trusted=1)
    assert not verifies(with_header(without_port, b"x-forwarded-port", None), trusted=1)
    kept = with_header(with_header(head, b"x-forwarded-host", b"spoofed"), b"host", b"localhost:9000")
    assert verifies(kept, trusted=1)


def test_a_default_port_may_have_been_added_or_left_out() -> None:
    head = signed_by_header()
    assert not verifies(with_header(head, b"host", b"localhost"))
    bare = signed_by_header(target="/b/k")
    for signed_host, came in ((b"s3.test", b"s3.test:443"), (b"s3.test:80", b"s3.test")):
        named = resigned(bare, signed_host)
        assert verifies(with_header(named, b"host", came))


def resigned(head: Head, host: bytes) -> Head:
    """The same request to another host."""
    moved = with_header(head, b"host", host)
    claim = header_claim(moved, None)
    payload = head.headers[b"x-amz-content-sha256"]
    text = string_to_sign(claim.date, claim.scope, canonical_request(moved, head.query, claim.signed, payload))
    signature = sign(signing_key(SECRET, claim.scope.day, claim.scope.region), text.encode())
    start = head.headers[b"authorization"].rpartition(b"=")[0]
    return with_header(moved, b"authorization", start + b"=" + signature.encode())


@pytest.mark.parametrize("make", [signed_by_header, presigned])
def test_a_prefix_may_be_signed_or_not_and_stripped_or_not(make) -> None:  # type: ignore[no-untyped-def]
    with_prefix, without = make(target="/s3/bucket/key"), make(target="/bucket/key")
    query = b"?" + with_prefix.query if with_prefix.query else b""
    stripped = with_target(with_prefix, b"/bucket/key" + query)
    added = with_target(without, b"/s3/bucket/key" + (b"?" + without.query if without.query else b""))
    for head in (with_prefix, stripped, added, without):
        assert verifies(head, prefix=b"/s3")
        assert Front(prefix=b"/s3").arrived(head).path == b"/bucket/key"
    assert not verifies(stripped)
    assert not verifies(stripped, prefix=b"/s4")


def test_a_prefix_is_whole_segments() -> None:
    front = Front(prefix=b"/a/b")
    paths = {b"/a/b": b"/", b"/a/b/": b"/", b"/a/b/c": b"/c", b"/a/bc": b"/a/bc", b"/a": b"/a", b"/a/b//c": b"//c"}
    assert {path: front.arrived(head_of("GET", path)).path for path in paths} == paths


def test_a_bucket_named_like_the_prefix_is_never_mistaken_for_another() -> None:
    # The proxy stripped "/s3" of "/s3/s3/key": what is left would address the bucket "key".
    signed = signed_by_header("DELETE", "/s3/s3/key")
    assert not verifies(with_target(signed, b"/s3/key"), prefix=b"/s3")


@pytest.mark.parametrize("sent", ["identity", "gzip"])
@pytest.mark.parametrize("came", [b"gzip, br", b"identity,gzip(gfe)", b"gzip,gzip(gfe)", b"br", None])
def test_a_rewritten_accept_encoding_does_not_matter(sent: str, came: bytes | None) -> None:
    head = signed_by_header(headers={"Accept-Encoding": sent})
    assert b"accept-encoding" in head.headers[b"authorization"]
    assert verifies(with_header(head, b"accept-encoding", came))


def test_other_signed_headers_may_not_change() -> None:
    head = signed_by_header(headers={"Range": "bytes=0-1", "x-amz-acl": "private"})
    assert not verifies(with_header(head, b"range", None))
    assert not verifies(with_header(head, b"x-amz-acl", b"public-read"))


# ---- nobody gets at another bucket so


DOMAINS = ("s3.test",)


def test_a_signature_never_reaches_the_bucket_that_another_host_names() -> None:
    # Signed for "/photos/cat" at a name of the server; sent to the host of a bucket, where the path is a key.
    head = resigned(signed_by_header(target="/photos/cat"), b"plain.test")
    moved = with_header(head, b"host", b"secret.s3.test")
    assert not verifies(moved, aliases=(b"plain.test",), domains=DOMAINS)
    told = {b"x-forwarded-for": b"203.0.113.9", b"x-forwarded-host": b"secret.s3.test"}
    assert not verifies(evolve(head, headers={**head.headers, **told}), trusted=1, domains=DOMAINS)


def test_a_bucket_in_the_forwarded_host_is_the_one_that_is_addressed() -> None:
    head = resigned(signed_by_header(target="/cat"), b"photos.s3.test")
    told = {b"host": b"backend:9000", b"x-forwarded-for": b"203.0.113.9", b"x-forwarded-host": b"photos.s3.test"}
    arrived = evolve(head, headers={**head.headers, **told})
    assert verifies(arrived, trusted=1, domains=DOMAINS)
    assert Front(trusted=1, domains=DOMAINS).bucket(Front(trusted=1).arrived(arrived)) == "photos"


def test_a_key_below_the_prefix_is_itself_where_the_host_names_the_bucket() -> None:
    head = resigned(signed_by_header(target="/s3/cat"), b"photos.s3.test")
    assert verifies(head, prefix=b"/s3", domains=DOMAINS)
    assert Front(prefix=b"/s3", domains=DOMAINS).arrived(head).path == b"/s3/cat"
    assert not verifies(with_target(head, b"/cat"), prefix=b"/s3", domains=DOMAINS)


def test_a_mismatch_says_which_hosts_were_tried() -> None:
    front = Front(aliases=(b"minio:9000", b"photos.s3.test"), domains=DOMAINS)
    with pytest.raises(SignatureDoesNotMatch) as caught:
        door(front).authenticate(signed_by_header(secret="wrong"))
    assert caught.value.details["HostsTried"] == "localhost:9000, minio:9000"

"""The way from http to https, and what browsers are told to remember of it."""

import pytest
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from zope.interface import implementer

from gecko_tw.wire.redirection import Redirection
from gecko_tw.wire.site import Site
from tests.wire.peers import AtHead, Peer, Transport


def answered(head: bytes, port: int = 9000) -> bytes:
    return Peer(Redirection(port)).send(head).received()


@pytest.mark.parametrize(
    ("method", "status"), [(b"GET", 301), (b"HEAD", 301), (b"PUT", 308), (b"DELETE", 308), (b"OPTIONS", 308)]
)
def test_every_request_is_sent_to_the_same_address_by_https(method, status):
    told = answered(method + b" /bucket/k%20y?list-type=2 HTTP/1.1\r\nHost: s3.example.com\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nLocation: https://s3.example.com:9000/bucket/k%20y?list-type=2\r\n" in told


@pytest.mark.parametrize(
    ("host", "location"),
    [
        (b"s3.example.com:80", b"https://s3.example.com/"),
        (b"[::1]:80", b"https://[::1]/"),
        (b"127.0.0.1", b"https://127.0.0.1/"),
    ],
)
def test_the_usual_port_is_not_named(host, location):
    told = answered(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n", 443)
    assert b"\r\nLocation: " + location + b"\r\n" in told


@pytest.mark.parametrize("line", [b"Host: a@b\r\n", b"Host: \r\n", b"Host: a/b\r\n", b"Host: a:b\r\n"])
def test_who_names_no_host_is_refused(line):
    told = answered(b"GET / HTTP/1.1\r\n" + line + b"\r\n")
    assert told.startswith(b"HTTP/1.1 400 ")
    assert b"Location" not in told


def test_a_body_is_not_kept():
    peer = Peer(Redirection(443))
    peer.send(b"PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    assert peer.received().count(b"HTTP/1.1 30") == 2


@implementer(ISSLTransport)
class SecureTransport(Transport):
    """As TLS has it."""

    def setTcpNoDelay(self, enabled):
        pass


def told_of_hsts(secure: bool, hsts: float) -> int:
    site = Site(AtHead(lambda request: request.answer(200, [], b"")), Clock(), hsts=hsts)
    channel = site.buildProtocol(None)
    transport = (SecureTransport if secure else Transport)(channel)
    channel.makeConnection(transport)
    channel.dataReceived(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nno request\r\n\r\n")
    transport.lose()
    assert transport.value().count(b"HTTP/1.1 ") == 2
    return transport.value().count(b"\r\nStrict-Transport-Security: max-age=31536000\r\n")


def test_browsers_are_told_in_every_answer_over_tls_and_in_no_other():
    assert told_of_hsts(secure=True, hsts=31536000.0) == 2
    assert told_of_hsts(secure=False, hsts=31536000.0) == 0
    assert told_of_hsts(secure=True, hsts=0) == 0

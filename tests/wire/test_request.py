"""Answers: in one write, whole, and once; and every Resource of twisted.web works as it always did."""

import pytest
from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.web.pages import notFound
from twisted.web.resource import EncodingResourceWrapper, Resource
from twisted.web.server import NOT_DONE_YET, GzipEncoderFactory
from twisted.web.static import Data, File
from twisted.web.util import Redirect
from zope.interface.verify import verifyObject

from gecko_tw.wire.interfaces import IWireRequest
from gecko_tw.wire.limits import Limits
from gecko_tw.wire.site import Site
from tests.wire.peers import AtHead, Peer, Transport, parse_answers
from tests.wire.test_channel import GET, chunked, put

HEAD = GET.replace(b"GET", b"HEAD")


def answered(render, sent: bytes = GET) -> bytes:
    return Peer(AtHead(render)).send(sent).received()


def test_an_answer_is_one_write():
    writes = []
    resource = AtHead()
    peer = Peer(resource).send(GET)
    peer.transport.write = writes.append
    peer.channel.output.write = writes.append
    resource.requests[0].answer(200, [(b"ETag", b'"x"')], b"body")
    assert len(writes) == 1
    (answer,) = parse_answers(writes[0])
    assert (answer.status, answer.body) == (200, b"body")
    assert set(answer.headers) == {b"server", b"date", b"etag", b"content-length"}
    assert verifyObject(IWireRequest, resource.requests[0])


@pytest.mark.parametrize("status", [204, 304])
def test_some_answers_have_neither_length_nor_body(status):
    data = answered(lambda request: request.answer(status, [], b"surprise"))
    assert b"Content-Length" not in data
    assert data.endswith(b"\r\n\r\n")


def test_an_answer_to_head_says_the_length_and_sends_nothing():
    assert b"\r\nContent-Length: 4\r\n\r\n" in answered(lambda request: request.answer(404, [], b"none"), HEAD)
    data = answered(lambda request: request.answer(200, [(b"Content-Length", b"1000")]), HEAD)
    assert data.count(b"Content-Length") == 1
    assert data.endswith(b"Content-Length: 1000\r\n\r\n")


def test_a_request_is_answered_once():
    def twice(request):
        request.answer(200, [], b"one")
        with pytest.raises(RuntimeError):
            request.answer(200, [], b"two")

    assert answered(twice).endswith(b"one")


def test_an_answer_for_a_client_that_has_left_goes_nowhere():
    resource = AtHead()
    peer = Peer(resource).send(GET)
    gone = []
    resource.requests[0].notifyFinish().addErrback(gone.append)
    peer.transport.lose()
    resource.requests[0].answer(200, [], b"late")
    write, finish = resource.requests[0].answer_slowly(200, [])
    write(b"late")
    finish(None)
    resource.requests[0].abort()
    assert gone
    assert peer.received() == b""


def test_whoever_asked_hears_when_the_answer_is_complete():
    heard = []
    resource = AtHead(lambda request: request.notifyFinish().addCallback(heard.append))
    Peer(resource).send(GET)
    resource.requests[0].answer(200, [])
    assert heard == [None]


def test_an_answer_can_be_given_up_in_its_middle():
    def give_up(request):
        write, _ = request.answer_slowly(200, [])
        write(b"some")
        request.abort()

    resource = AtHead(give_up)
    peer = Peer(resource).send(GET)
    assert not peer.transport.connected
    assert peer.site.in_flight == 0


def test_a_slow_answer_comes_in_chunks():
    resource = AtHead()
    peer = Peer(resource).send(GET)
    write, finish = resource.requests[0].answer_slowly(200, [(b"Content-Type", b"application/xml")])
    assert peer.received().endswith(b"Transfer-Encoding: chunked\r\n\r\n")
    write(b" ")
    write(b"")
    assert peer.received().endswith(b"\r\n\r\n1\r\n \r\n")
    write(b"<x/>")
    finish(None)
    (answer,) = peer.answers()
    assert answer.body == b" <x/>"
    assert not peer.parted
    assert len(peer.send(GET).site.channels) == 1


def test_a_slow_answer_to_http_1_0_ends_with_its_connection():
    resource = AtHead()
    peer = Peer(resource).send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    write, finish = resource.requests[0].answer_slowly(200, [])
    write(b"one ")
    write(b"two")
    finish(None)
    head, _, body = peer.received().partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert b"Connection: close" in head
    assert body == b"one two"
    assert peer.parted


def test_a_slow_answer_to_head_sends_nothing_but_its_head():
    def render(request):
        write, finish = request.answer_slowly(200, [])
        write(b"x")
        finish(None)

    assert answered(render, HEAD).endswith(b"\r\n\r\n")


def test_a_resource_that_fails_is_an_internal_error(logged_failures):
    def fail(request):
        raise ZeroDivisionError

    peer = Peer(AtHead(fail)).send(GET)
    assert peer.answers()[0].status == 500
    assert b"<Code>InternalError</Code>" in peer.answers()[0].body
    assert not peer.parted
    assert logged_failures.take(ZeroDivisionError)


def test_a_resource_that_fails_in_the_middle_of_its_answer_loses_the_connection(logged_failures):
    def fail(request):
        request.write(b"some")
        raise ZeroDivisionError

    peer = Peer(AtHead(fail)).send(GET)
    assert not peer.transport.connected
    assert logged_failures.take(ZeroDivisionError)


# ---- twisted.web's own resources


class Form(Resource):
    """Shows what twisted.web gives a Resource."""

    isLeaf = True

    def render_GET(self, request):
        return repr(sorted(request.args.items())).encode()

    def render_POST(self, request):
        cookie = request.getCookie(b"c") or b"-"
        return repr(sorted(request.args.items())).encode() + cookie + request.content.read()

    render_PUT = render_POST


def posted(body: bytes, kind: bytes, *lines: bytes) -> bytes:
    return put(body, b"Content-Type: " + kind, *lines).replace(b"PUT", b"POST", 1)


def test_an_ordinary_resource_gets_its_arguments_cookies_and_content():
    peer = Peer(Form()).send(GET.replace(b"/k", b"/k?a=1&a=%202&b="))
    peer.send(posted(b"x=1&y=2", b"application/x-www-form-urlencoded", b"Cookie: a=b; c=d"))
    peer.send(chunked(b"chunks"))
    bodies = [answer.body for answer in peer.answers()]
    assert bodies[0] == b"[(b'a', [b'1', b' 2']), (b'b', [b''])]"
    assert bodies[1] == b"[(b'x', [b'1']), (b'y', [b'2'])]dx=1&y=2"
    assert bodies[2] == b"[]-chunks"


def test_an_ordinary_resource_gets_the_files_of_a_form():
    body = b'--X\r\nContent-Disposition: form-data; name="f"; filename="g"\r\n\r\ndata\r\n--X--\r\n'
    peer = Peer(Form()).send(posted(body, b"multipart/form-data; boundary=X"))
    assert peer.answers()[0].body.startswith(b"[(b'f', [b'data'])]")
    peer.send(posted(b"nonsense", b"multipart/form-data"))
    assert peer.answers()[1].status == 400


def test_a_body_for_an_ordinary_resource_is_bounded():
    limits = Limits(buffered_body_bytes=1000, memory_body_bytes=10)
    peer = Peer(Form(), limits).send(put(b"x" * 1000))
    assert peer.answers()[0].body.endswith(b"x" * 1000)
    peer.send(put(b"x" * 1001, b"Expect: 100-continue"))
    assert [answer.status for answer in peer.answers()] == [200, 413]
    peer = Peer(Form(), limits).send(chunked(b"x" * 2000, 100))
    assert [answer.status for answer in peer.answers()] == [413]


def test_a_body_that_never_comes_whole_is_not_rendered():
    peer = Peer(Form()).send(put(b"x" * 100)[:-1]).wait(61)
    assert b"IncompleteBody" in peer.answers()[0].body
    peer = Peer(Form()).send(put(b"x" * 100)[:-1])
    peer.transport.lose()
    assert peer.received() == b""


def test_a_head_request_to_a_resource_that_knows_only_get():
    peer = Peer(Form()).send(HEAD)
    assert peer.received().endswith(b"\r\n\r\n")
    assert b"Content-Length: 2\r\n" in peer.received()


def test_methods_that_a_resource_lacks_are_refused_by_twisted():
    peer = Peer(Form()).send(GET.replace(b"GET", b"DELETE"))
    assert peer.answers()[0].status == 501
    peer.send(b"OPTIONS * HTTP/1.1\r\nHost: s3\r\n\r\n")
    assert peer.answers()[1].status == 200


class Streaming(Resource):
    """Answers without a length, the way twisted.web chunks."""

    isLeaf = True

    def render(self, request):
        request.setResponseCode(201)
        request.setHeader(b"X-One", b"1")
        request.addCookie(b"c", b"d")
        request.write(b"one ")
        succeed(None).addCallback(lambda _: (request.write(b"two"), request.finish()))
        return NOT_DONE_YET


def test_an_ordinary_resource_may_write_its_answer_in_pieces():
    peer = Peer(Streaming()).send(GET)
    (answer,) = peer.answers()
    assert (answer.status, answer.body, answer.headers[b"x-one"]) == (201, b"one two", b"1")
    assert answer.headers[b"server"] == b"GeckoS3"
    assert answer.headers[b"set-cookie"] == b"c=d"
    assert not peer.parted


def test_an_ordinary_resource_without_a_length_ends_a_connection_of_http_1_0():
    peer = Peer(Streaming()).send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    head, _, body = peer.received().partition(b"\r\n\r\n")
    assert body == b"one two"
    assert b"Connection: close" in head
    assert peer.parted


class Closing(Resource):
    isLeaf = True

    def render(self, request):
        request.setHeader(b"Connection", b"close")
        return b"last"


def test_an_ordinary_resource_may_ask_for_the_connection_to_be_closed():
    peer = Peer(Closing()).send(GET)
    assert peer.answers()[0].headers[b"connection"] == b"close"
    assert peer.parted


def test_a_tree_of_ordinary_resources_is_walked(tmp_path):
    (tmp_path / "a b.txt").write_bytes(b"0123456789" * 20_000)
    root = Resource()
    root.putChild(b"", Data(b"root", "text/plain"))
    root.putChild(b"files", File(str(tmp_path)))
    root.putChild(b"away", Redirect(b"/files"))
    root.putChild(b"gone", notFound())
    root.putChild(b"lean", AtHead(lambda request: request.answer(200, [], b"/".join(request.prepath))))
    peer = Peer(root)
    for path in (b"/", b"/away", b"/gone", b"/nowhere"):
        peer.send(GET.replace(b"/b/k", path))
    assert [answer.status for answer in peer.answers()] == [200, 302, 404, 404]
    peer.connect()
    peer.send(GET.replace(b"/b/k", b"/files/a%20b.txt"))
    while peer.transport.producer is not peer.channel.output.backlog:
        peer.transport.producer.resumeProducing()
    assert peer.answers()[0].body == b"0123456789" * 20_000
    peer.send(GET.replace(b"/b/k HTTP/1.1", b"/files/a%20b.txt HTTP/1.1\r\nRange: bytes=5-9"))
    while peer.transport.producer is not peer.channel.output.backlog:
        peer.transport.producer.resumeProducing()
    assert (peer.answers()[1].status, peer.answers()[1].body) == (206, b"56789")


def test_a_file_for_a_peer_that_does_not_read_is_given_up(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 1_000_000)
    peer = Peer(File(str(tmp_path))).send(GET.replace(b"/b/k", b"/file"))
    peer.transport.producer.resumeProducing()
    peer.wait(119)
    assert peer.transport.connected
    peer.transport.producer.resumeProducing()
    peer.wait(119)
    assert peer.transport.connected
    peer.wait(2)
    assert not peer.transport.connected


class Pushing(Resource):
    """Registers a producer that pushes."""

    isLeaf = True
    told: list[str]

    def render(self, request):
        self.told = []
        self.request = request
        request.registerProducer(self, True)
        return NOT_DONE_YET

    def pauseProducing(self):
        self.told.append("pause")

    def resumeProducing(self):
        self.told.append("resume")

    def stopProducing(self):
        self.told.append("stop")


def test_a_resource_that_pushes_is_held_back_by_the_peer_and_the_peer_is_given_up_at_last():
    resource = Pushing()
    peer = Peer(resource).send(GET).wait(10_000)
    peer.transport.producer.pauseProducing()
    peer.wait(100)
    peer.transport.producer.resumeProducing()
    peer.wait(10_000)
    assert resource.told == ["pause", "resume"]
    resource.request.notifyFinish().addErrback(lambda _: resource.told.append("gone"))
    peer.transport.producer.pauseProducing()
    peer.wait(121)
    assert not peer.transport.connected
    assert resource.told == ["pause", "resume", "pause", "stop", "gone"]


def test_a_resource_may_encode_its_answer():
    wrapped = EncodingResourceWrapper(Form(), [GzipEncoderFactory()])
    peer = Peer(wrapped).send(GET.replace(b"\r\n\r\n", b"\r\nAccept-Encoding: gzip\r\n\r\n"))
    assert peer.answers()[0].headers[b"content-encoding"] == b"gzip"


class Counting(Resource):
    isLeaf = True

    def render(self, request):
        session = request.getSession()
        session.seen = getattr(session, "seen", 0) + 1
        return b"%d %b" % (session.seen, request.prePathURL())


def test_sessions_work():
    clock = Clock()
    site = Site(Counting(), clock)
    channel = site.buildProtocol(None)
    transport = Transport(channel)
    channel.makeConnection(transport)
    site.sessionFactory = type("Session", (site.sessionFactory,), {"_reactor": clock, "__init__": _session(clock)})
    channel.dataReceived(GET)
    cookie = parse_answers(transport.value())[0].headers[b"set-cookie"].partition(b";")[0]
    channel.dataReceived(GET.replace(b"\r\n\r\n", b"\r\nCookie: " + cookie + b"\r\n\r\n"))
    assert parse_answers(transport.value())[1].body.startswith(b"2 http://s3")


def _session(clock):
    from twisted.web.server import Session

    return lambda self, site, uid: Session.__init__(self, site, uid, clock)


def test_nothing_is_kept_of_a_body_that_is_sent_to_the_server_as_a_whole():
    peer = Peer(AtHead()).send(b"OPTIONS * HTTP/1.1\r\nHost: s3\r\nContent-Length: 50000000\r\n\r\nx")
    assert len(peer.answers()) == 1
    assert peer.channel.closing.begun

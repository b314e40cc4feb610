"""A site that is to stop answers what it has begun, and begins nothing more."""

import pytest
from attrs.exceptions import FrozenInstanceError
from twisted.internet.task import Clock

from gecko_tw.wire.limits import Limits
from gecko_tw.wire.site import Site
from tests.wire.peers import AtHead, Peer
from tests.wire.test_channel import GET, put


def test_requests_in_flight_are_counted():
    resource = AtHead()
    peer = Peer(resource)
    first = peer.channel
    peer.send(GET + GET)
    peer.connect()
    peer.send(GET)
    assert peer.site.in_flight == 2
    resource.requests[1].answer(200, [])
    assert peer.site.in_flight == 1
    first.transport.lose()
    assert peer.site.in_flight == 0


def test_a_drained_site_closes_idle_connections_at_once_and_others_after_their_answer():
    resource = AtHead()
    peer = Peer(resource)
    busy = peer.transport
    peer.send(GET)
    peer.connect()
    idle = peer.transport
    emptied = []
    peer.site.drain().addCallback(emptied.append)
    assert idle.disconnecting
    assert not busy.disconnecting
    idle.lose()
    assert not emptied
    resource.requests[0].answer(200, [], b"last")
    assert b"Connection: close" in busy.value()
    assert busy.disconnecting
    busy.lose()
    assert emptied == [None]


def test_an_idle_peer_that_does_not_let_go_cannot_hold_up_a_drain():
    peer = Peer(AtHead())
    emptied = []
    peer.site.drain().addCallback(emptied.append)
    peer.wait(2.1)
    assert emptied == [None]


def test_a_site_without_connections_is_drained_already():
    emptied = []
    Site(AtHead(), Clock()).drain().addCallback(emptied.append)
    assert emptied == [None]


def test_an_upload_under_way_is_finished_while_the_site_drains():
    resource = AtHead()
    peer = Peer(resource).send(put(b"hello")[:-3])
    peer.site.drain()
    resource.requests[0].upload.deliver(_Sink()).addCallback(lambda _: resource.requests[0].answer(200, []))
    peer.send(b"llo")
    assert peer.answers()[0].headers[b"connection"] == b"close"
    assert peer.parted


class _Sink:
    def registerProducer(self, producer, streaming):
        pass

    def unregisterProducer(self):
        pass

    def write(self, data):
        pass


def test_limits_do_not_change():
    with pytest.raises(FrozenInstanceError):
        Limits().head_bytes = 1


def test_a_site_speaks_http_1_1_only_and_leaves_no_timer():
    clock = Clock()
    site = Site(AtHead(), clock)
    site.doStart()
    assert site.acceptableProtocols() == [b"http/1.1"]
    assert not clock.getDelayedCalls()
    site.doStop()


def test_a_site_may_keep_twisteds_access_log(tmp_path):
    clock = Clock()
    path = tmp_path / "access.log"
    site = Site(AtHead(lambda request: request.finish()), clock, logPath=str(path))
    site.doStart()
    peer = Peer.__new__(Peer)
    peer.site, peer.clock = site, clock
    peer.connect()
    peer.send(GET)
    site.doStop()
    assert b'"GET /b/k HTTP/1.1" 200' in path.read_bytes()


def test_an_address_may_have_only_so_many_connections():
    peer = Peer(AtHead(), Limits(connections_per_address=2))
    assert peer.site.admits("192.168.1.1")
    first = peer.transport
    peer.connect()
    assert not peer.site.admits("192.168.1.1")
    assert peer.site.admits("192.168.1.2")
    assert peer.site.admits("")
    first.lose()
    assert peer.site.admits("192.168.1.1")
    peer.transport.lose()
    assert not peer.site._connections


def test_any_number_of_connections_is_the_default():
    peer = Peer(AtHead())
    for _ in range(100):
        peer.connect()
    assert peer.site.admits("192.168.1.1")

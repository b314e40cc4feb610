"""What stands for the wire in these tests has the wire's face."""

from zope.interface.verify import verifyObject

from gecko_tw.pools import IPool
from gecko_tw.wire.head import head_of
from gecko_tw.wire.interfaces import IUpload, IWireRequest
from tests.resources.asking import FakeRequest, FakeUpload, HeldPool, InlinePool


def test_the_fake_request_has_the_face_of_a_wire_request() -> None:
    upload = FakeUpload([], 0)
    assert verifyObject(IUpload, upload)
    assert verifyObject(IWireRequest, FakeRequest(head_of("GET", b"/"), upload))


def test_the_fake_pools_have_the_face_of_a_pool() -> None:
    assert verifyObject(IPool, InlinePool())
    assert verifyObject(IPool, HeldPool())

"""What jobs need of others."""

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface


class INotificationSink(Interface):
    """A way to deliver events. A dropin may add sinks."""

    name: str = Attribute("shown in messages")

    def takes(target: str) -> bool:
        """Whether a destination (an ARN) is one of this sink's."""

    def deliver(target: str, body: bytes) -> Deferred[None]:
        """Sends a JSON document. The Deferred fires when it was taken, and fails when it was not."""

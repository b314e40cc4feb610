"""What dropins publish."""

from zope.interface import Attribute, Interface


class INotificationSink(Interface):
    """A way to deliver events. A dropin may add sinks."""

    name = Attribute("shown in messages")

    def takes(target: str):  # type: ignore[no-untyped-def]
        """Whether a destination (an ARN) is one of this sink's."""

    def deliver(target: str, body: bytes):  # type: ignore[no-untyped-def]
        """Sends a JSON document. Returns a Deferred that fires when it was taken, and fails when it was not."""


class INotificationSinkFamily(Interface):
    """What a dropin publishes to deliver events."""

    name = Attribute("who owns the sink")

    def load(reactor):  # type: ignore[no-untyped-def]
        """The INotificationSink, made when a process begins to serve."""


class IKeyManagementService(Interface):
    """A description of a key management that SSE-KMS uses instead of ours: published by a dropin, cheap to import."""

    name = Attribute("what it is called in messages")

    def load():  # type: ignore[no-untyped-def]
        """The IKeyManagement, imported and made only now."""


class IOperationFamily(Interface):
    """A description of operations that somebody adds: published by a dropin in ``gecko_tw/plugins``, cheap to import."""

    name = Attribute("who owns the operations, shown when two claim the same request")

    def load():  # type: ignore[no-untyped-def]
        """The rows (resources.operations.Operation), imported only now."""

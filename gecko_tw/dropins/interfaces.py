"""What dropins publish."""

from typing import Any

from zope.interface import Attribute, Interface

from gecko_tw.jobs.interfaces import INotificationSink
from gecko_tw.resources.dispatch.operations import Operation
from gecko_tw.store.encryption.interfaces import IKeyManagement


class INotificationSinkFamily(Interface):
    """What a dropin publishes to deliver events."""

    name: str = Attribute("who owns the sink")

    # Any: Twisted's reactor is whatever interfaces it provides.
    def load(reactor: Any) -> INotificationSink:
        """The sink, made when a process begins to serve."""


class IKeyManagementService(Interface):
    """A description of a key management that SSE-KMS uses instead of ours: published by a dropin, cheap to import."""

    name: str = Attribute("what it is called in messages")

    def load() -> IKeyManagement:
        """The key management, imported and made only now."""


class IOperationFamily(Interface):
    """A description of operations that somebody adds: published by a dropin in ``gecko_tw/plugins``, cheap to import."""

    name: str = Attribute("who owns the operations, shown when two claim the same request")

    def load() -> list[Operation]:
        """The rows, imported only now."""

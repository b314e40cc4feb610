"""Descriptions that dropins publish: cheap to import, with lazy factories."""

from collections.abc import Mapping
from importlib import import_module

from attrs import frozen
from twisted.plugin import IPlugin
from zope.interface import implementer

from gecko_tw.dropins.interfaces import IKeyManagementService, INotificationSinkFamily, IOperationFamily
from gecko_tw.jobs.interfaces import INotificationSink
from gecko_tw.resources.dispatch.operations import Operation, rows_of
from gecko_tw.store.drivers.interfaces import IDriver, IDriverFamily
from gecko_tw.store.encryption.interfaces import IKeyManagement


@implementer(IPlugin, IKeyManagementService)
@frozen
class KeyManagement:
    """A key management for SSE-KMS. A dropin is one line: ``vault = KeyManagement("vault", "vault_keys", "connect")``.

    :ivar name: what it is called in messages.
    :ivar module: imported when a process begins to serve.
    :ivar factory: what of it is called, without arguments; returns an IKeyManagement.
    """

    name: str
    module: str
    factory: str

    def load(self) -> IKeyManagement:
        made: IKeyManagement = getattr(import_module(self.module), self.factory)()
        return made


@implementer(IPlugin, INotificationSinkFamily)
@frozen
class NotificationSink:
    """A way to deliver events. A dropin is one line: ``queue = NotificationSink("queue", "photo_shop.queue", "connect")``.

    :ivar name: who owns it.
    :ivar module: imported when a process begins to serve.
    :ivar factory: what of it is called with the reactor; returns an INotificationSink.
    """

    name: str
    module: str
    factory: str

    def load(self, reactor: object) -> INotificationSink:
        made: INotificationSink = getattr(import_module(self.module), self.factory)(reactor)
        return made


@implementer(IPlugin, IOperationFamily)
@frozen
class OperationFamily:
    """A module whose rows are added. A dropin is one line: ``photos = OperationFamily("photos", "photo_shop.operations")``.

    :ivar name: who owns the rows.
    :ivar module: imported when the table of operations is made.
    """

    name: str
    module: str

    def load(self) -> list[Operation]:
        return rows_of(import_module(self.module))


@implementer(IPlugin, IDriverFamily)
@frozen
class Driver:
    """A driver for data directories. A dropin is one line: ``mine = Driver("mine", "my_store.driver", "MyDriver", "mine.sqlite")``.

    :ivar name: the value of ``--layout`` that chooses it.
    :ivar module: imported when such a data directory is used.
    :ivar factory: what of it is called with the directory's path and, by name, with the settings that it takes; returns an IDriver.
    :ivar catalog: the file in ``.geckos3`` that is there when the directory was used before.
    :ivar takes: names of settings, such as ``fsync``.
    """

    name: str
    module: str
    factory: str
    catalog: str
    takes: tuple[str, ...] = ()

    def load(self, data_dir: str, settings: Mapping[str, object]) -> IDriver:
        return getattr(import_module(self.module), self.factory)(data_dir, **settings)  # type: ignore[no-any-return]

"""One deployment's store, identities and operations, as its settings and dropins make them: for the daemon and for commands alike."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from attrs import frozen
from twisted.plugin import getPlugins
from twisted.python.modules import getModule

import gecko_tw.plugins
from gecko_tw.callers.accounts.directory import Directory
from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.dropins.interfaces import (
    IKeyManagementService,
    INotificationSinkFamily,
    IOperationFamily,
)
from gecko_tw.jobs.interfaces import INotificationSink
from gecko_tw.resources.dispatch.operations import Operation, OperationTable, rows_of
from gecko_tw.settings import BadSetting, Settings
from gecko_tw.store.buckets import Buckets
from gecko_tw.store.drivers.interfaces import IDocuments, IDriverFamily, INotices
from gecko_tw.store.encryption.data_keys import DataKeys
from gecko_tw.store.encryption.keyring import Rings, rings_of
from gecko_tw.store.integrity.quarantine import Quarantine
from gecko_tw.store.objects import Objects
from gecko_tw.store.upkeep import Upkeep
from gecko_tw.store.uploads import Uploads


@frozen(kw_only=True)
class Store:
    """The kernel over one open data directory."""

    buckets: Buckets
    objects: Objects
    uploads: Uploads
    upkeep: Upkeep
    documents: IDocuments
    notices: INotices
    registry: Registry
    quarantine: Quarantine
    damage: Any = None


def store_in(data: DataDir, settings: Settings) -> Store:
    """The verbs of buckets, objects and uploads over an open data directory."""
    driver = data.driver
    keys = data_keys(rings_of(driver.documents, data.sealer))
    objects = Objects(driver.catalog, driver.blobs, settings.metadata, keys)
    uploads = Uploads(objects, settings.min_part_size)
    return Store(
        buckets=Buckets(driver.catalog),
        objects=objects,
        uploads=uploads,
        upkeep=Upkeep(uploads),
        documents=driver.documents,
        notices=driver.notices,
        registry=data.registry,
        quarantine=Quarantine(objects, driver.documents),
        damage=driver.damage,
    )


@contextmanager
def _blamed(dropin: str) -> Iterator[None]:
    """Whatever goes wrong inside is the dropin's fault, and told in one line. Raises BadSetting."""
    try:
        yield
    except BaseException as wrong:
        if isinstance(wrong, BadSetting) or not isinstance(wrong, Exception):
            raise
        why = " ".join(f"{type(wrong).__name__}: {wrong}".split())
        raise BadSetting(f"dropin {dropin} cannot be used: {why}") from wrong


def check_dropins() -> None:
    """Imports all dropins and their operations: Twisted passes over one that cannot be imported. Raises BadSetting."""
    published = (IOperationFamily, INotificationSinkFamily, IKeyManagementService, IDriverFamily)
    for found in getModule(gecko_tw.plugins.__name__).iterModules():
        with _blamed(found.name):
            module = import_module(found.name)
        if not any(interface.providedBy(one) for interface in published for one in vars(module).values()):
            raise BadSetting(f"dropin {found.name} cannot be used: it publishes nothing of {gecko_tw.__name__}.dropins")
    if any(getPlugins(IOperationFamily, gecko_tw.plugins)):
        operation_table()


def data_keys(rings: Rings) -> DataKeys:
    """What opens and makes the data keys of encrypted objects: the ring, and for SSE-KMS the key management of a dropin if there is one.

    :raises BadSetting: two dropins publish one.
    """
    services = list(getPlugins(IKeyManagementService, gecko_tw.plugins))
    if len(services) > 1:
        names = ", ".join(sorted(service.name for service in services))
        raise BadSetting(f"only one dropin may publish a key management, and these do: {names}")
    if not services:
        return DataKeys(rings.s3, rings.kms)
    with _blamed(services[0].name):
        return DataKeys(rings.s3, services[0].load())


def sinks_for(reactor: Any, settings: Settings) -> list[INotificationSink]:
    """Where events can be delivered to: webhooks of the settings, then the sinks of dropins."""
    urls = dict(text.split("=", 1) for text in settings.webhook if text)
    published = getPlugins(INotificationSinkFamily, gecko_tw.plugins)
    sinks = []
    for dropin in published:
        with _blamed(dropin.name):
            sinks.append(dropin.load(reactor))
    if urls:
        # An HTTP client, which few deployments need.
        from gecko_tw.jobs.webhooks import Webhooks

        sinks.insert(0, Webhooks(reactor, urls))
    return sinks


def families() -> Iterator[tuple[str, Iterable[Operation]]]:
    """All operations of this deployment with the names of their owners: ours, then those of dropins."""
    # All that can be done with requests: the parent of several workers does nothing with them.
    from gecko_tw.resources.dispatch.families import FAMILIES

    for family in FAMILIES:
        yield family.__name__, rows_of(family)
    for dropin in getPlugins(IOperationFamily, gecko_tw.plugins):
        with _blamed(dropin.name):
            rows = dropin.load()
        yield dropin.name, rows


def operation_table() -> OperationTable:
    """The table of all operations of this deployment. Raises BadSetting when two owners claim the same request."""
    try:
        return OperationTable(families())
    except ValueError as twice:
        raise BadSetting(f"a dropin cannot be used: {twice}") from twice


def identities_of(settings: Settings, store: Store) -> Directory:
    """Whose key pairs are accepted, and which accounts there are."""
    return Directory(store.registry, OnePair(settings.access_key, settings.secret_key))

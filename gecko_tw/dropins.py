"""Descriptions that dropins publish: cheap to import, with lazy factories."""

from importlib import import_module

from attrs import frozen
from twisted.plugin import IPlugin
from zope.interface import implementer

from gecko_tw.interfaces import IOperationFamily
from gecko_tw.resources.operations import Operation, rows_of


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

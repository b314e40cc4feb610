"""Configuration files for tests."""

from pathlib import Path

from gecko_tw.bootstrap.applying import Deployment
from gecko_tw.bootstrap.declarations import Declarations, read_declarations
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.callers.accounts.sealing import Sealer
from gecko_tw.settings.reading import Document, read_document
from gecko_tw.store.buckets import Buckets
from gecko_tw.store.drivers.memory import MemoryDriver


def document(folder: Path, text: str, **environment: str) -> Document:
    """What is read of a file with this text."""
    path = folder / "geckos3.yaml"
    path.write_text(text)
    return read_document(path, environment)


def declarations(folder: Path, text: str, **environment: str) -> Declarations:
    """What a file with this text declares."""
    return read_declarations(document(folder, text, **environment))


def deployment(driver: MemoryDriver | None = None) -> Deployment:
    """A deployment in memory that has nothing yet."""
    driver = driver or MemoryDriver()
    registry = Registry(driver.documents, Sealer(bytes(32)))
    return Deployment(buckets=Buckets(driver.catalog), registry=registry, now=lambda: 7)

"""Why the last event of a destination was not taken, for whoever looks: kept beside the queue, and gone when one is."""

from collections.abc import Mapping

from gecko_tw.store.drivers.interfaces import IDocuments
from gecko_tw.store.records import Json

KIND = "event-errors"
LONGEST = 500


def delivery_errors(documents: IDocuments) -> Mapping[str, Json]:
    """Time and message of the last error, by destination."""
    return dict(documents.all(KIND))


def note_error(documents: IDocuments, target: str, at: str, message: str) -> None:
    """An event was not taken. The same message again changes nothing: whoever keeps something made of documents would read it anew."""
    found = documents.get(KIND, target)
    if found is None or found["message"] != message[:LONGEST]:
        documents.change(KIND, target, lambda _: {"at": at, "message": message[:LONGEST]})


def forget_error(documents: IDocuments, target: str) -> None:
    """One was taken."""
    if documents.get(KIND, target) is not None:
        documents.change(KIND, target, lambda _: None)

"""The admin API over a store with a version in quarantine."""

from typing import Any

from gecko_tw.store.integrity import quarantine
from gecko_tw.store.records import now_of
from gecko_tw.store.requests import Put
from gecko_tw.store.rules.quarantine import DAMAGED, condemned
from tests.admin.desk import Desk, desk
from tests.resources.asking import NOW


def ward(**more: Any) -> Desk:
    """As desk; the version in quarantine is whole by now, so each verb about it has something to do."""
    made = desk(**more)
    store, now = made.ground.store, now_of(NOW)
    incoming = store.objects.receive(())
    incoming.push(b"purr")
    store.objects.put("photos", b"damaged", incoming, Put(now=1))
    store.objects.amend("photos", b"damaged", "null", lambda version, _: condemned(version, DAMAGED, now))
    note = {"bucket": "photos", "key": b"damaged".hex(), "version_id": "null", "since": now, "why": DAMAGED}
    store.documents.change(quarantine.KIND, f"photos/{b'damaged'.hex()}/null", lambda _: note)
    return made

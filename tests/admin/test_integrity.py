"""Integrity by the admin API: scrubs that are wanted, and the way out of quarantine."""

from typing import Any

from gecko_tw.jobs.scrubbing import DUE
from gecko_tw.settings import Settings
from gecko_tw.store.integrity.scrub import KIND, LAST, LEASE
from gecko_tw.store.records import now_of
from tests.admin.desk import SECRET
from tests.admin.ward import ward
from tests.resources.asking import NOW

PLACE = {"bucket": "photos", "key": "damaged", "version_id": "null"}


def ask(there: Any, method: str, path: str, body: Any = None) -> Any:
    return there.values(method, f"/api/v1{path}", body)


def test_the_state_of_scrubs_tells_of_the_last_pass_and_of_the_one_under_way() -> None:
    there = ward()
    documents, now = there.ground.store.documents, now_of(NOW)
    assert ask(there, "GET", "/integrity") | {"interval_seconds": 0} == {
        "interval_seconds": 0,
        "running": False,
        "next": None,
        "last_ended": None,
        "totals": dict.fromkeys(("read", "bytes", "unknown", "damaged"), 0),
        "under_way": None,
    }
    documents.change(KIND, LEASE, lambda _: {"until": now + 10**9})
    documents.change(KIND, f"{LAST}/job", lambda _: {"ended": now - 3600 * 10**9})
    documents.change(KIND, "job//1.0", lambda _: {"began": now, "report": {"read": 3, "bytes": 12, "whole": 3}})
    told = ask(there, "GET", "/integrity")
    assert (told["running"], told["under_way"]["read"], told["under_way"]["bytes"]) == (True, 3, 12)
    assert told["last_ended"] < told["under_way"]["began"]


def test_a_scrub_that_is_wanted_is_due_now_and_refused_where_scrubs_are_switched_off() -> None:
    there = ward()
    ask(there, "POST", "/integrity/scrub")
    assert there.ground.store.documents.get(KIND, DUE) == {"at": now_of(NOW)}
    off = ward(settings=Settings(secret_key=SECRET, scrub_interval=0))
    reply = off.ask("POST", "/api/v1/integrity/scrub")
    assert (reply.status, b"scrub-interval" in reply.body) == (400, True)


def test_a_version_leaves_quarantine_when_it_is_whole() -> None:
    there = ward()
    (held,) = ask(there, "GET", "/quarantine")
    assert (held["key"], held["version_id"], held["size"]) == ("damaged", "null", 4)
    assert ask(there, "GET", "/quarantine?bucket=nothing-in-it") == []
    assert ask(there, "POST", "/quarantine/revalidate", PLACE) == {"restored": True}
    assert ask(there, "GET", "/quarantine") == []
    again = there.ask("POST", "/api/v1/quarantine/revalidate", PLACE)
    assert (again.status, b"not in quarantine" in again.body) == (400, True)


def test_a_purged_version_is_gone() -> None:
    there = ward()
    assert ask(there, "POST", "/quarantine/purge", PLACE) is None
    assert there.ask("POST", "/api/v1/quarantine/purge", PLACE).status == 404

"""When keys were last used: a few writes an hour, however many requests there are."""

from gecko_tw.callers.accounts import last_use
from gecko_tw.callers.accounts.identities import AccessKey
from gecko_tw.callers.accounts.last_use import GRAIN, KIND, LastUse, Uses, last_uses
from gecko_tw.callers.accounts.registry import KEY, Registry
from gecko_tw.callers.accounts.sealing import Sealer
from gecko_tw.store.drivers.memory import MemoryDriver

NOW = 1_795_230_000.0


def registry() -> Registry:
    made = Registry(MemoryDriver().documents, Sealer(bytes(32)))
    for name in ("one", "two"):
        made.put_key(AccessKey(access_key=name, secret="s", account="000000000000"))
    return made


def test_what_was_used_is_kept_with_its_time_and_its_service() -> None:
    documents, uses = registry().documents, Uses()
    uses.note("one", "s3")
    uses.note("one", "iam")
    assert uses.keep(documents, NOW) == 1
    assert last_uses(documents) == {"one": LastUse(int(NOW), "iam")}
    assert last_use.last_use(documents, "two") is None


def test_a_use_that_is_kept_stands_for_those_of_a_quarter_of_an_hour_in_all_processes() -> None:
    documents = registry().documents
    processes = (Uses(), Uses())
    revisions = []
    for minute in range(30):
        for uses in processes:
            uses.note("one", "s3")
            uses.keep(documents, NOW + 60 * minute)
        revisions.append(documents.revision())
    assert len(set(revisions)) == 2
    assert last_uses(documents)["one"].at == NOW + GRAIN


def test_keys_of_sessions_and_of_the_settings_are_not_kept() -> None:
    documents, uses = registry().documents, Uses()
    before = documents.revision()
    for name in ("session", "geckoadmin"):
        uses.note(name, "s3")
    assert uses.keep(documents, NOW) == 0 and documents.revision() == before


def test_what_is_kept_of_a_key_goes_with_it() -> None:
    made, uses = registry(), Uses()
    for name in ("one", "two"):
        uses.note(name, "s3")
    uses.keep(made.documents, NOW)
    made.remove(KEY, "one")
    uses.note("two", "s3")
    uses.keep(made.documents, NOW + GRAIN)
    assert [name for name, _ in made.documents.all(KIND)] == ["two"]


def test_however_many_keys_there_are_memory_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(last_use, "MOST", 2)
    documents, uses = registry().documents, Uses()
    for name in ("a", "b", "one"):
        uses.note(name, "s3")
    assert uses.keep(documents, NOW) == 0

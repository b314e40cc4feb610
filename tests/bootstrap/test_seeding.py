"""The account that the settings seed."""

import pytest
from attrs import evolve
from twisted.logger import globalLogPublisher

from gecko_tw import tap
from gecko_tw.bootstrap.seeding import seed
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, Account
from gecko_tw.callers.accounts.registry import ACCOUNT, KEY, Registry
from gecko_tw.callers.accounts.sealing import Sealer
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.settings import BadSetting, Settings
from gecko_tw.settings.sources import read_settings
from gecko_tw.store.drivers.memory import MemoryDriver

SEED = Settings(seed_account="shop", seed_key_id="shopkey", seed_secret="shopsecret")


@pytest.fixture
def registry():
    return Registry(MemoryDriver().documents, Sealer(bytes(32)))


@pytest.fixture
def told():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)
    assert "shopsecret" not in repr(events)


def test_account_and_key_are_made_once(registry, told):
    seed(registry, SEED)
    assert [one.id for one in registry.all(ACCOUNT)] == ["shop"]
    key = registry.key("shopkey")
    assert (key.secret, key.account, key.user) == ("shopsecret", "shop", "")
    revision = registry.documents.revision()
    told.clear()
    seed(registry, SEED)
    assert registry.documents.revision() == revision and not told


def test_without_a_seed_nothing_is_made(registry):
    seed(registry, Settings())
    assert registry.all(ACCOUNT) == registry.all(KEY) == []


def test_what_is_there_already_stays_with_a_warning(registry, told):
    registry.put_account(Account(id="shop", display_name="The shop"))
    seed(registry, SEED)
    assert registry.account("shop").display_name == "The shop"
    told.clear()
    seed(registry, evolve(SEED, seed_secret="another"))
    assert registry.key("shopkey").secret == "shopsecret"
    assert [event["log_level"].name for event in told] == ["warn"]


def test_a_seeded_key_that_was_revoked_stays_revoked(registry):
    seed(registry, SEED)
    registry.remove(KEY, "shopkey")
    registry.remove(ACCOUNT, "shop")
    seed(registry, SEED)
    assert registry.all(ACCOUNT) == registry.all(KEY) == []
    seed(registry, evolve(SEED, seed_key_id="nextkey"))
    assert registry.key("nextkey").account == "shop"


def test_a_revoked_key_is_seeded_again_with_a_secret_it_never_had(registry, told):
    seed(registry, SEED)
    registry.remove(KEY, "shopkey")
    seed(registry, evolve(SEED, seed_secret="second"))
    assert registry.key("shopkey").secret == "second"
    registry.remove(KEY, "shopkey")
    for known in ("second", "shopsecret"):
        seed(registry, evolve(SEED, seed_secret=known))
        assert registry.key("shopkey") is None
    assert "second" not in repr(registry.documents.all("seed"))


@pytest.mark.parametrize("field", ["seed_account", "seed_key_id", "seed_secret"])
def test_what_cannot_be_is_a_bad_setting(registry, field):
    with pytest.raises(BadSetting, match="--seed-account, --seed-key-id and --seed-secret: ") as refused:
        seed(registry, evolve(SEED, **{field: " :padded"}))
    assert field != "seed_secret" or "padded" not in str(refused.value)


def test_a_key_may_be_seeded_for_the_account_of_the_settings(registry):
    seed(registry, evolve(SEED, seed_account=ROOT_ACCOUNT))
    assert registry.key("shopkey").account == ROOT_ACCOUNT
    assert registry.all(ACCOUNT) == []


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ({"SECRET"}, ["--seed-secret"]),
        ({"ACCOUNT", "SECRET"}, ["--seed-account", "--seed-secret"]),
        ({"KEY_ID"}, ["--seed-key-id"]),
    ],
)
def test_a_part_of_a_seed_is_refused_naming_what_is_missing(missing, named):
    environment = {f"GECKOS3_SEED_{name}": "value" for name in ("ACCOUNT", "KEY_ID", "SECRET") if name not in missing}
    with pytest.raises(BadSetting) as refused:
        read_settings({}, environment)
    assert [
        name for name in ("--seed-account", "--seed-key-id", "--seed-secret") if name in str(refused.value)
    ] == named


def test_the_key_of_the_settings_is_no_seed():
    environment = {"GECKOS3_SEED_ACCOUNT": "a", "GECKOS3_SEED_KEY_ID": "geckoadmin", "GECKOS3_SEED_SECRET": "s"}
    with pytest.raises(BadSetting, match="--seed-key-id"):
        read_settings({}, environment)


def test_a_daemon_seeds_when_its_directory_is_open(tmp_path):
    settings = evolve(SEED, data_dir=tmp_path)
    data = DataDir(settings)
    data.open()
    try:
        tap.bootstrap_for(settings, data)()
        assert data.registry.key("shopkey").secret == "shopsecret"
    finally:
        data.close()

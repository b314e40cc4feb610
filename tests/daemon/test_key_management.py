"""Where the keys of SSE-KMS come from: the ring, or the key management of a dropin."""

import pytest

from gecko_tw.daemon import deployment
from gecko_tw.dropins.descriptions import KeyManagement
from gecko_tw.settings import BadSetting
from gecko_tw.store.encryption.keyring import rings_of
from tests.store.encryption.rings import DictDocuments, MarkedSealing, ring

THEIRS = KeyManagement("vault", "tests.store.encryption.rings", "ring")


def rings():
    return rings_of(DictDocuments(), MarkedSealing())


def published(monkeypatch, *services):
    monkeypatch.setattr(deployment, "getPlugins", lambda interface, package: iter(services))


def test_the_ring_has_all_keys_unless_a_dropin_has_those_of_kms(monkeypatch):
    published(monkeypatch)
    ours = rings()
    keys = deployment.data_keys(ours)
    assert (keys.ring, keys.management) == (ours.s3, ours.kms)
    published(monkeypatch, THEIRS)
    keys = deployment.data_keys(ours)
    assert keys.ring is ours.s3
    assert type(keys.management) is type(ring()) and keys.management is not ours.kms


def test_two_key_managements_cannot_be_told_apart(monkeypatch):
    published(monkeypatch, THEIRS, KeyManagement("cloud", "tests.store.encryption.rings", "ring"))
    with pytest.raises(BadSetting, match="cloud, vault"):
        deployment.data_keys(rings())

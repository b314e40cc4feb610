"""Declarations are made so, once, beside what is there already."""

import pytest
from attrs import evolve

from gecko_tw.bootstrap.applying import Bootstrap, apply
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from gecko_tw.callers.accounts.registry import KEY
from gecko_tw.settings import BadSetting
from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.records import BucketRecord
from tests.bootstrap.writing import declarations, deployment, document


@pytest.fixture(name="deployment")
def deployment_fixture():
    return deployment()


@pytest.fixture
def declare(tmp_path, deployment):
    return lambda text, there=deployment: apply(declarations(tmp_path, text), there)


def test_a_declared_bucket_is_made_once(tmp_path, declare, deployment):
    text = "buckets: {photos: {versioning: enabled, region: eu}}"
    assert declare(text) == [f"{tmp_path}/geckos3.yaml:1: buckets.photos: bucket is made"]
    made = deployment.buckets.get("photos")
    assert made == BucketRecord(name="photos", created=7, region="eu", settings={"versioning": "Enabled"})
    assert declare(text) == []
    assert deployment.buckets.get("photos") is made


def test_a_file_that_is_applied_again_changes_nothing(tmp_path):
    driver = MemoryDriver()
    there = deployment(driver)
    declared = declarations(
        tmp_path, "buckets: {a-1: {tags: {k: v}}, b-1: {object-lock: {enabled: true}, acl: public-read}}"
    )
    apply(declared, there)
    revision = driver.documents.revision()
    assert apply(declared, there) == []
    assert driver.documents.revision() == revision


def test_what_a_file_does_not_name_stays(tmp_path, declare, deployment):
    settings = {"versioning": "Enabled", "tagging": {"a": "b"}, "website": {"IndexDocument": {"Suffix": "i"}}}
    deployment.buckets.create(BucketRecord(name="photos", created=1, region="eu", settings=settings))
    deployment.buckets.create(BucketRecord(name="other", created=1))
    assert declare("buckets: {photos: {versioning: suspended, tags: {}}}") == [
        f"{tmp_path}/geckos3.yaml:1: buckets.photos: bucket is changed"
    ]
    found = deployment.buckets.get("photos")
    assert found.settings == {"versioning": "Suspended", "website": {"IndexDocument": {"Suffix": "i"}}}
    assert (found.region, found.created) == ("eu", 1)
    assert deployment.buckets.get("other") == BucketRecord(name="other", created=1)


def test_a_canned_list_is_that_of_the_owner_and_private_is_none(declare, deployment):
    declare("accounts: [alice]\nbuckets: {photos: {owner: alice, acl: public-read}}")
    assert deployment.buckets.get("photos").settings["acl"] == [
        ["group", "http://acs.amazonaws.com/groups/global/AllUsers", "READ"],
        ["id", "alice", "FULL_CONTROL"],
    ]
    declare("buckets: {photos: {acl: private}}")
    assert "acl" not in deployment.buckets.get("photos").settings


def test_nothing_is_applied_when_one_thing_contradicts_what_is_there(declare, deployment):
    deployment.buckets.create(BucketRecord(name="photos", created=1, owner="alice"))
    with pytest.raises(BadSetting, match=r":1: buckets\.photos: belongs to account alice"):
        declare(f"buckets: {{fresh: {{}}, photos: {{owner: '{ROOT_ACCOUNT}'}}}}")
    assert [record.name for record in deployment.buckets.page("", "", 9)] == ["photos"]


def test_a_bucket_that_cannot_be_made_is_told_with_its_place(tmp_path):
    driver = FilesDriver(str(tmp_path / "data"))
    driver.open()
    (tmp_path / "data" / "photos").write_text("a file")
    try:
        with pytest.raises(
            BadSetting, match=r"yaml:1: buckets.photos: BucketAlreadyExists: There is a file of this name"
        ):
            apply(declarations(tmp_path, "buckets: {photos: {}}"), deployment(driver))
    finally:
        driver.close()


def test_versioning_stays_enabled_where_object_lock_is(declare, deployment):
    settings = {"versioning": "Enabled", "object-lock": {}}
    deployment.buckets.create(BucketRecord(name="photos", created=1, settings=settings))
    with pytest.raises(BadSetting, match=r":1: buckets\.photos: versioning must stay enabled"):
        declare("buckets: {photos: {versioning: suspended}}")


def test_a_file_is_applied_as_it_is_now_or_not_at_all(tmp_path, deployment):
    path = document(tmp_path, "buckets: [one]").file
    bootstrap = Bootstrap(tmp_path / "geckos3.yaml", {}, lambda: deployment)
    bootstrap()
    document(tmp_path, "region: eu\nbuckets: [one, two]")
    bootstrap()
    assert [record.name for record in deployment.buckets.page("", "", 9)] == ["one", "two"]
    with open(path, "w") as file:
        file.write("buckets: [three, Four]")
    with pytest.raises(BadSetting, match=r"buckets\[1\]: InvalidBucketName"):
        bootstrap()
    assert [record.name for record in deployment.buckets.page("", "", 9)] == ["one", "two"]


IDENTITIES = """
accounts: {a: {email: a@example.com}}
groups: {a/readers: }
users: {a/alice: {groups: [readers], tags: {k: v}}}
keys:
- {access-key: k1, secret: s1, account: a}
- {access-key: k2, secret: s2, account: a, user: alice}
"""


def test_identities_are_registered_once(declare, deployment):
    assert len(declare(IDENTITIES)) == 5
    assert declare(IDENTITIES) == []
    assert deployment.registry.key("k2").user == "alice"
    assert deployment.registry.user("a", "alice").groups == ("readers",)


def test_what_was_switched_off_stays_so_unless_the_file_says_otherwise(declare, deployment):
    declare(IDENTITIES)
    deployment.registry.enable(KEY, "k1", False)
    assert declare(IDENTITIES) == []
    assert len(declare(IDENTITIES.replace("secret: s1", "secret: s3, enabled: true"))) == 1
    assert (deployment.registry.key("k1").enabled, deployment.registry.key("k1").secret) == (True, "s3")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("users: {b/alice: }", r":1: users\.b/alice: there is no account b"),
        ("accounts: [a]\nusers: {a/alice: {groups: [x]}}", r":2: users\.a/alice: there is no group a/x"),
        ("keys: [{access-key: k, secret: s, account: b}]", r":1: keys\[0\]: there is no account b"),
        (
            "accounts: [a]\nkeys: [{access-key: k, secret: s, account: a, user: x}]",
            r":2: keys\[0\]: there is no user a/x",
        ),
        ("buckets: {photos: {owner: b}}", r":1: buckets\.photos: there is no account b"),
    ],
)
def test_who_is_named_must_be_there(declare, deployment, text, told):
    with pytest.raises(BadSetting, match=told):
        declare(text)
    assert deployment.registry.account("a") is None
    declare(IDENTITIES.replace("a/", "b/").replace("{a:", "{b:").replace("account: a", "account: b"))
    declare("users: {b/bob: {groups: [readers]}}\nbuckets: {photos: {owner: b}}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("keys: [{access-key: root, secret: s, account: a}]", r":1: keys\[0\]: .*of the settings"),
        ("keys: [{access-key: k, secret: ' hidden', account: a}]", r":1: keys\[0\]: .*without spaces"),
        ("accounts: {b: {email: A@example.com}}", r":1: accounts\.b: .*'a' has the e-mail address"),
        ("accounts: {b: {email: x@y}, c: {email: X@y}}", r":1: accounts\.c: .*the same e-mail address"),
        (f"accounts: ['{ROOT_ACCOUNT}']", r":1: accounts.*of the settings"),
    ],
)
def test_nothing_is_applied_when_one_thing_cannot_be_kept(declare, deployment, text, told):
    declare(IDENTITIES)
    rooted = evolve(deployment, registry=evolve(deployment.registry, taken="root"))
    revision = deployment.registry.documents.revision()
    with pytest.raises(BadSetting, match=told) as refused:
        declare(f"{text}\ngroups: {{a/others: }}", rooted)
    assert "hidden" not in str(refused.value)
    assert deployment.registry.documents.revision() == revision


POLICY = """
accounts: [alice]
users: [alice/ann]
buckets:
  b-1:
    policy: {{Statement: {{Effect: Deny, Principal: {{AWS: '{}'}}, Action: 's3:GetObject', Resource: 'arn:aws:s3:::b-1/*'}}}}
"""


@pytest.mark.parametrize("who", ["alice", "arn:aws:iam::alice:user/ann", "arn:aws:iam::000000000000:root"])
def test_a_declared_policy_is_about_whoever_is_declared(declare, who):
    assert declare(POLICY.format(who))


@pytest.mark.parametrize("who", ["bob", "arn:aws:iam::alice:user/nan", "arn:aws:iam::bob:root"])
def test_a_declared_policy_about_nobody_changes_nothing(declare, deployment, who):
    with pytest.raises(BadSetting, match="buckets.b-1: Invalid principal in policy"):
        declare(POLICY.format(who))
    assert deployment.registry.account("alice") is None

"""``geckos3 account|user|group|key`` and ``rekey``: what they change in a data directory, and what they say."""

import json

import pytest
from click.testing import CliRunner

from gecko_tw.callers.accounts import changes
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, AccessKey
from gecko_tw.commands import main
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.settings import SETTINGS, Settings
from gecko_tw.store.records import BucketRecord

READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for name in [name for one in SETTINGS for name in one.environment] + ["GECKOS3_NEW_SECRET"]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def geckos3(tmp_path):
    """Runs a command and returns what it prints; ``fails`` returns the one line of its refusal."""
    made = DataDir(Settings(data_dir=tmp_path / "data"))
    made.open()
    made.close()

    def run(*arguments, code=0):
        told = CliRunner().invoke(main, [*map(str, arguments), f"--data-dir={tmp_path / 'data'}"])
        assert told.exit_code == code, told.output
        assert told.exception is None or isinstance(told.exception, SystemExit)
        return told.output

    def fails(*arguments):
        told = run(*arguments, code=1)
        assert told.startswith("Error: ") and len(told.splitlines()) == 1, told
        return told

    run.fails = fails
    return run


@pytest.fixture
def registry(tmp_path):
    data = DataDir(Settings(data_dir=tmp_path / "data"))
    data.open()
    yield data.registry
    data.close()


@pytest.fixture
def policy(tmp_path):
    file = tmp_path / "read.json"
    file.write_text(json.dumps(READ))
    return file


def test_an_account_with_users_groups_and_keys_is_set_up_and_taken_down(geckos3, registry, policy):
    geckos3("account", "add", "main", "--name", "The main one", "--email=main@example.com")
    geckos3("group", "add", "readers", "--account=main")
    geckos3("group", "attach", "main/readers", "read", policy)
    geckos3("user", "add", "main/ann")
    geckos3("user", "join", "ann", "readers", "--account=main")
    geckos3("user", "attach", "main/ann", "own", policy)
    geckos3("key", "add", "--user=main/ann", "--id=annkey", "--secret=annsecret", "--description=laptop")
    assert registry.account("main").display_name == "The main one"
    ann = registry.user("main", "ann")
    assert (ann.groups, list(ann.policies)) == (("readers",), ["own"])
    assert json.loads(registry.group("main", "readers").policies["read"]) == READ
    assert (registry.key("annkey").secret, registry.key("annkey").user) == ("annsecret", "ann")
    assert geckos3("account", "list") == "main  The main one  main@example.com\n"
    assert geckos3("group", "list") == "main/readers  read\n"
    assert geckos3("user", "list") == "main/ann  own  in readers\n"
    assert geckos3("key", "list") == "annkey  main/ann  laptop\n"
    assert "in use" in geckos3.fails("account", "remove", "main")
    geckos3("key", "revoke", "annkey")
    geckos3("user", "detach", "main/ann", "own")
    geckos3("user", "leave", "main/ann", "readers")
    assert geckos3("user", "list") == "main/ann\n"
    for kind, name in (("user", "main/ann"), ("group", "main/readers"), ("account", "main")):
        geckos3(kind, "remove", name)
        assert geckos3(kind, "list") == f"no {kind}s\n"


def test_a_made_key_is_told_once(geckos3, registry):
    told = geckos3("key", "add")
    access_key, secret = (line.partition(": ")[2] for line in told.splitlines()[-2:])
    assert registry.key(access_key).secret == secret
    assert secret not in geckos3("key", "list")


def test_a_secret_may_come_from_the_environment(geckos3, registry, monkeypatch):
    monkeypatch.setenv("GECKOS3_NEW_SECRET", "whispered")
    geckos3("key", "add", "--id=k")
    assert registry.key("k").secret == "whispered"


def test_a_key_is_limited(geckos3, registry):
    limits = "--action=object:get --action=s3:ListBucket --bucket=photos --prefix=a/ --network=10.0.0.0/8"
    geckos3("key", "add", "--id=k", "--secret=s", "--expires=2030-01-31", *limits.split())
    key = registry.key("k")
    assert key.scope.actions == ("object:get", "s3:ListBucket")
    assert (key.scope.buckets, key.scope.prefixes, key.scope.networks) == (("photos",), ("a/",), ("10.0.0.0/8",))
    told = "actions object:get,s3:ListBucket  buckets photos  prefixes a/  networks 10.0.0.0/8"
    assert geckos3("key", "list") == f"k  000000000000  expires 2030-01-31T00:00:00Z  {told}\n"


def test_a_key_that_has_expired_is_listed_so(geckos3, registry):
    registry.add_key(AccessKey(access_key="k", secret="s", account=ROOT_ACCOUNT, expires=1.0))
    assert geckos3("key", "list") == "k  000000000000  expired 1970-01-01T00:00:01Z\n"


def test_what_is_kept_is_shown_with_attached_policies_and_without_secrets(geckos3, registry, policy):
    geckos3("account", "add", "main")
    geckos3("group", "add", "main/readers")
    geckos3("group", "attach", "main/readers", "read", policy)
    geckos3("user", "add", "main/ann", "--group=readers")
    geckos3("user", "attach", "main/ann", "own", policy)
    geckos3("key", "add", "--user=main/ann", "--id=k", "--secret=hidden", "--bucket=photos")
    assert json.loads(geckos3("group", "show", "main/readers"))["policies"] == {"read": READ}
    ann = json.loads(geckos3("user", "show", "main/ann"))
    assert (ann["groups"], ann["policies"]) == (["readers"], {"own": READ})
    key = json.loads(geckos3("key", "show", "k"))
    assert (key["user"], key["scope"]["buckets"], "secret" in key) == ("ann", ["photos"], False)
    assert json.loads(geckos3("account", "show", "main"))["id"] == "main"
    for kind in ("account", "user", "group", "key"):
        assert f"no {kind} " in geckos3.fails(kind, "show", "nobody")


def test_every_command_answers_in_json(geckos3, registry, policy):
    def told(*arguments):
        return json.loads(geckos3(*arguments, "--json"))

    assert told("account", "add", "main", "--email=m@example.com")["email"] == "m@example.com"
    assert told("user", "add", "main/ann")["name"] == "ann"
    assert "policy own of user main/ann is set" in told("user", "attach", "main/ann", "own", policy)["message"]
    made = told("key", "add", "--user=main/ann", "--expires=2030-01-31", "--prefix=a/", "--bucket=b")
    assert made["secret_key"] == registry.key(made["access_key"]).secret
    (listed,) = told("key", "list")
    assert listed == {
        **{name: value for name, value in made.items() if name != "secret_key"},
        "damaged": False,
        "last_used": None,
    }
    assert (listed["expires"], listed["scope"]["prefixes"]) == ("2030-01-31T00:00:00Z", ["a/"])
    assert told("user", "list")[0]["policies"] == {"own": READ}
    assert told("user", "show", "main/ann") == told("user", "list")[0]
    assert told("group", "list") == []
    assert told("keys", "add", "archive") == {"message": "archive is added"}
    assert told("keys", "list") == [{"name": "archive", "generations": 1}]
    assert "sealed" in told("rekey")["message"]
    refused = geckos3("user", "add", "main/ann", "--json", code=1)
    assert "already" in json.loads(refused)["error"]


@pytest.mark.parametrize(
    "command",
    [
        "key add --secret=",
        "key add --id=",
        "key add --user=",
        "key add --account=",
        "key add --account=main --user=",
        "key add --expires=",
        "key add --action=",
        "key add --bucket=",
        "key add --bucket=b --prefix=",
        "key add --network=",
        "user add ann --account=",
        "user add ann --group=",
        "group add readers --account=",
        "user join ann readers --account=",
    ],
)
def test_an_empty_text_is_refused_and_never_means_the_default(geckos3, registry, command):
    told = geckos3.fails(*command.split())
    assert f"{command.split()[-1][:-1]}'" in told and "'' is not allowed" in told
    assert [registry.all(kind) for kind in ("account", "user", "group", "key")] == [[], [], [], []]


@pytest.mark.parametrize("command", [("account", "add", ""), ("keys", "add", ""), ("user", "add", "")])
def test_an_empty_name_is_refused(geckos3, registry, command):
    geckos3.fails(*command)
    assert registry.all("account") == registry.all("user") == [] and geckos3("keys", "list").startswith("no key")


def test_accounts_users_and_keys_are_switched_off_and_on(geckos3, registry):
    geckos3("account", "add", "main")
    geckos3("user", "add", "main/ann")
    geckos3("key", "add", "--user=main/ann", "--id=k")
    for kind, name in (("account", "main"), ("user", "main/ann"), ("key", "k")):
        geckos3(kind, "disable", name)
        assert "disabled" in geckos3(kind, "list")
        geckos3(kind, "enable", name)
        assert "disabled" not in geckos3(kind, "list")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("account add a:b", "no name"),
        ("account remove nobody", "no account 'nobody'"),
        ("user add ann --account=nobody", "no account 'nobody'"),
        ("user add main/ann --account=other", "not of 'other'"),
        ("user add ann --group=nobody", "no group"),
        ("user join ann readers", "no user"),
        ("user attach ann p /dev/null", "no user"),
        ("group detach readers p", "no group"),
        ("key add --user=nobody", "no user"),
        ("key add --user=main/", "nobody in it"),
        ("account add 000000000000", "of the settings"),
        ("key add --id=geckoadmin", "of the settings"),
        ("key add --expires=soon", "'soon' is no time"),
        ("key add --expires=2020-01-31", "2020-01-31T00:00:00Z is over"),
        ("key add --expires=1970-01-01T00:00:00Z", "is over"),
        ("key add --action=object:fly", "object:fly"),
        ("key add --prefix=a/", "must name buckets"),
        ("key add --bucket=b --network=10.0.0.0.0", "10.0.0.0.0"),
        ("key revoke nobody", "no key 'nobody'"),
        ("key disable nobody", "no key 'nobody'"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(geckos3, registry, command, told):
    assert told in geckos3.fails(*command.split())


def test_what_is_there_is_not_added_again(geckos3, registry):
    for command in (
        "account add main",
        "user add main/ann",
        "group add main/readers",
        "key add --id=k --secret=hidden",
    ):
        geckos3(*command.split())
        refused = geckos3.fails(*command.split())
        assert "already" in refused and "hidden" not in refused


def test_a_policy_that_is_none_is_refused(geckos3, registry, tmp_path):
    geckos3("user", "add", "ann")
    (tmp_path / "bad.json").write_text('{"Statement": [{"Effect": "Allow", "Action": "s3:Fly", "Resource": "*"}]}')
    assert "s3:Fly" in geckos3.fails("user", "attach", "ann", "p", tmp_path / "bad.json")
    assert "none.json" in geckos3.fails("user", "attach", "ann", "p", tmp_path / "none.json")


def test_a_key_whose_secret_was_damaged_is_named_and_can_be_revoked(geckos3, registry):
    for name in ("good", "damaged"):
        geckos3("key", "add", f"--id={name}", "--secret=hidden")
    registry.documents.change("key", "damaged", lambda found: {**found, "secret": "AAAA" + found["secret"][4:]})
    assert geckos3("key", "list") == "damaged  000000000000  damaged: revoke it\ngood  000000000000\n"
    told = geckos3.fails("key", "disable", "damaged")
    assert "'damaged'" in told and "hidden" not in told
    geckos3("key", "revoke", "damaged")
    assert geckos3("key", "list") == "good  000000000000\n"


def test_an_account_that_owns_a_bucket_stays(geckos3, registry, tmp_path, monkeypatch):
    monkeypatch.setattr(changes, "AT_ONCE", 1)
    geckos3("account", "add", "main")
    data = DataDir(Settings(data_dir=tmp_path / "data"))
    data.open()
    for name, owner in (("films", ""), ("photos", "main"), ("songs", "other")):
        data.driver.catalog.add_bucket(BucketRecord(name=name, created=1, owner=owner))
    assert "photos" in geckos3.fails("account", "remove", "main")
    data.driver.catalog.remove_bucket("photos")
    data.close()
    assert geckos3("account", "remove", "main") == "account main is removed\n"


def test_the_encryption_key_is_changed(geckos3, monkeypatch):
    geckos3("key", "add", "--id=k", "--secret=s")
    geckos3("rekey")
    assert geckos3("key", "list") == "k  000000000000\n"
    monkeypatch.setenv("GECKOS3_NEW_ENCRYPTION_KEY", "n" * 32)
    assert "n" * 32 not in geckos3("rekey")
    assert "encryption key" in geckos3.fails("key", "list")
    monkeypatch.setenv("GECKOS3_ENCRYPTION_KEY", "n" * 32)
    assert geckos3("key", "list") == "k  000000000000\n"

"""``geckos3 config``."""

import json

import pytest
from click.testing import CliRunner

from gecko_tw.callers.accounts.identities import Account
from gecko_tw.commands import main
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.settings import SETTINGS, Settings
from gecko_tw.store.buckets import Buckets
from gecko_tw.store.records import BucketRecord

FILE = """\
data-dir: /srv/s3
secret-key: ${SECRET:-hidden-in-the-file}
listen: [':1', 'unix:/run/s3.sock']
buckets:
  photos: {versioning: enabled}
"""


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for one in SETTINGS:
        for name in one.environment:
            monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "geckos3.yaml"
    path.write_text(FILE)
    return path


def run(*arguments, code=0, **environment):
    result = CliRunner().invoke(main, ["config", *map(str, arguments)], env=environment)
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path, monkeypatch):
    """Where no data directory is by chance."""
    monkeypatch.chdir(tmp_path)


def test_a_good_file_is_valid(file):
    assert run("validate", file) == f"{file} is valid: 3 settings, 1 buckets\n"


def test_a_bad_file_is_told_with_its_line(file):
    file.write_text(FILE + "  Photos: {}\n")
    assert f"{file}:6: buckets.Photos: InvalidBucketName" in run("validate", file, code=1)


def test_settings_in_force_are_shown_with_their_source_and_without_secrets(file):
    shown = run("show", f"--config={file}", GECKOS3_REGION="eu")
    lines = dict(line.rsplit("  # ", 1) for line in shown.splitlines())
    sources = {line.strip(): source for line, source in lines.items()}
    assert sources["region: eu"] == "GECKOS3_REGION"
    assert sources["data-dir: /srv/s3"] == f"{file}:1: data-dir"
    assert sources["# secret-key: ********"] == f"{file}:2: secret-key"
    assert sources["multipart-max-age: 24h"] == "default"
    assert "hidden" not in shown


def test_what_is_shown_is_a_file_itself(file, tmp_path):
    again = tmp_path / "again.yaml"
    again.write_text(run("show", GECKOS3_CONFIG=str(file)))
    run("validate", again)


def test_the_default_secret_is_masked_as_well():
    assert "# secret-key: ********" in run("show")


def test_a_file_becomes_variables(file):
    told = run("to-env", file)
    assert "GECKOS3_DATA_DIR=/srv/s3\n" in told
    assert "GECKOS3_LISTEN=:1,unix:/run/s3.sock\n" in told
    assert "# GECKOS3_SECRET_KEY=********\n" in told
    assert "only a file can declare buckets" in told
    file.write_text("secret-key: it's")
    assert "GECKOS3_SECRET_KEY='it'\"'\"'s'\n" in run("to-env", file, "--secrets")


REFERRING = """\
secret-key: ${ROOT_SECRET}
access-key: "me-${NAME:-you}-\\"$$"
workers: ${WORKERS}
region: eu
"""


def test_references_stay_references_in_variables_and_need_not_be_set(file):
    file.write_text(REFERRING)
    assert run("to-env", file).splitlines() == [
        'GECKOS3_ACCESS_KEY="me-${NAME:-you}-\\"\\$"',
        'GECKOS3_SECRET_KEY="${ROOT_SECRET}"',
        'GECKOS3_WORKERS="${WORKERS}"',
        "GECKOS3_REGION=eu",
    ]
    file.write_text("secret-key: x${ROOT_SECRET}")
    assert run("to-env", file) == "# GECKOS3_SECRET_KEY=********\n"
    assert run("to-env", file, "--secrets") == 'GECKOS3_SECRET_KEY="x${ROOT_SECRET}"\n'
    file.write_text("region: a b-${X}\nworkers: none")
    assert "workers: 'none' is not allowed" in run("to-env", file, code=1)
    file.write_text("region: ${X")
    assert "`${` has no `}`" in run("to-env", file, code=1)


@pytest.mark.parametrize("secrets", [True, False])
def test_a_file_becomes_variables_and_again_the_same_file(file, tmp_path, secrets):
    file.write_text(REFERRING)
    env = tmp_path / ".env"
    env.write_text(run("to-env", file, "--secrets"))
    again = run("from-env", env, *(["--secrets"] if secrets else []))
    assert again.splitlines() == [
        'access-key: "me-${NAME:-you}-\\"$$"',
        "secret-key: ${ROOT_SECRET}",
        "workers: ${WORKERS}",
        "region: eu",
    ]


ENV = r"""
# a comment
GECKOS3_LISTEN=:1 unix:/run/s3.sock
export GECKOS3_SECRET_KEY='pa$$wo"rd #1'
GECKOS3_ACCESS_KEY="a \\ \"quote\", \$5"
GECKOS3_REGION=${REGION:-eu}
OTHER=1
GECKOS3_REGOIN=eu
"""


def test_a_file_of_variables_becomes_a_file(tmp_path):
    env = tmp_path / ".env"
    env.write_text(ENV)
    told = run("from-env", env)
    assert f"{env}: OTHER is no setting" in told and f"{env}: GECKOS3_REGOIN is no setting" in told
    assert told.splitlines()[2:] == [
        'listen: [":1", "unix:/run/s3.sock"]',
        r'access-key: "a \\ \"quote\", $$5"',
        "secret-key: ${GECKOS3_SECRET_KEY}",
        'region: "${REGION:-eu}"',
    ]
    assert 'secret-key: "pa$$$$wo\\"rd #1"\n' in run("from-env", env, "--secrets")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("GECKOS3_SECRET_KEY=pa$word", "outside of single quotes"),
        ('GECKOS3_SECRET_KEY="pa$word"', "outside of single quotes"),
        ("GECKOS3_SECRET_KEY=pass #word", "`#`"),
        ("GECKOS3_SECRET_KEY='password", "not closed"),
        ("GECKOS3_SECRET_KEY password", "no NAME=value"),
        ("GECKOS3_WORKERS=password", "allowed is auto"),
    ],
)
def test_a_line_of_variables_that_may_mean_two_things_is_refused(tmp_path, line, told):
    env = tmp_path / ".env"
    env.write_text(f"\n{line}\n")
    refused = run("from-env", env, code=1)
    assert told in refused and ("WORKERS" in line or f"{env}:2: " in refused)
    assert "WORKERS" in line or "word" not in refused


def test_a_file_of_variables_that_is_not_there_is_told(tmp_path):
    assert "No such file" in run("from-env", tmp_path / "none", code=1)


def test_everything_is_told_in_json(file, tmp_path):
    assert json.loads(run("validate", file, "--json"))["buckets"] == 1
    shown = json.loads(run("show", f"--config={file}", "--json"))
    assert shown["listen"] == {"value": [":1", "unix:/run/s3.sock"], "source": f"{file}:3: listen"}
    assert shown["secret-key"]["value"] == "********"
    assert json.loads(run("to-env", file, "--json"))["GECKOS3_DATA_DIR"] == "/srv/s3"
    env = tmp_path / ".env"
    env.write_text("GECKOS3_LISTEN=:1,:2\nGECKOS3_SECRET_KEY=hidden")
    as_file = tmp_path / "again.json"
    as_file.write_text(run("from-env", env, "--json"))
    assert json.loads(as_file.read_text()) == {"listen": [":1", ":2"], "secret-key": "${GECKOS3_SECRET_KEY}"}
    run("validate", as_file, GECKOS3_SECRET_KEY="s")


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("buckets: {photos: {owner: media}}", "there is no account media"),
        ("users: {media/ann: {}}", "there is no account media"),
        ("accounts: [media]\nusers: {media/ann: {groups: [readers]}}", "there is no group media/readers"),
        ("keys: [{access-key: k, secret: s, account: media}]", "there is no account media"),
        ("accounts: [media]\nkeys: [{access-key: k, secret: s, account: media, user: ann}]", "no user media/ann"),
        ("accounts: [media]\nkeys: [{access-key: geckoadmin, secret: s, account: media}]", "of the settings"),
        ("accounts: ['000000000000']", "of the settings"),
    ],
)
def test_who_is_referred_to_must_be_declared_or_there(file, tmp_path, declared, told):
    file.write_text(f"data-dir: {tmp_path}/data\n{declared}\n")
    refused = run("validate", file, code=1)
    assert f"{file}:" in refused and told in refused
    assert not (tmp_path / "data").exists()


def test_what_the_data_directory_has_counts(file, tmp_path):
    file.write_text(f"data-dir: {tmp_path}/data\nbuckets: {{photos: {{owner: media}}, films: {{owner: media}}}}\n")
    data = DataDir(Settings(data_dir=tmp_path / "data"))
    data.open()
    data.registry.put_account(Account(id="media"))
    assert "is valid" in run("validate", file)
    Buckets(data.driver.catalog).create(BucketRecord(name="films", created=0, owner="other"))
    assert f"{file}:2: buckets.films: belongs to account other" in run("validate", file, code=1)
    assert data.driver.catalog.buckets("", "", 10)[0].name == "films"
    data.close()


def test_a_data_directory_that_cannot_be_opened_leaves_the_file_to_be_checked(file, tmp_path):
    (tmp_path / "data" / ".geckos3" / "catalog.sqlite").mkdir(parents=True)
    file.write_text(f"data-dir: {tmp_path}/data\nbuckets: {{photos: {{owner: media}}}}\n")
    told = run("validate", file)
    assert "not compared with what is in the data directory: " in told and "is valid" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("region: eu\n\tworkers: 1", "found character '\\t' that cannot start any token"),
        ("region: [eu\nworkers: 1", "expected ',' or ']', but got ':'"),
        ('region: "\\keep"', "found unknown escape character …"),
        ("region: *hush", "found undefined alias …"),
        ("region: @hush", "found character '@' that cannot start any token"),
    ],
)
def test_what_is_no_yaml_is_told_to_its_end_and_without_pieces_of_the_file(file, text, told):
    file.write_text(text)
    refused = run("validate", file, code=1)
    assert told in refused and "hush" not in refused


def test_what_variables_cannot_hold_is_told(file):
    file.write_text("listen: ['unix:/run/a b']")
    assert "listen: has commas or white space" in run("to-env", file, code=1)


def test_variables_become_a_file():
    environment = {"GECKOS3_LISTEN": ":1 :2", "MINIO_ROOT_PASSWORD": "pa$$word"}
    assert run("from-env", **environment) == 'listen: [":1", ":2"]\nsecret-key: ${MINIO_ROOT_PASSWORD}\n'
    assert 'secret-key: "pa$$$$word"\n' in run("from-env", "--secrets", **environment)


def test_bad_variables_are_told():
    assert "GECKOS3_WORKERS: 'x' is not allowed" in run("from-env", code=1, GECKOS3_WORKERS="x")
    assert "GECKOS3_WORKERS: 'x' is not allowed" in run("show", code=1, GECKOS3_WORKERS="x")
    assert "No such file" in run("show", "--config=/nowhere.yaml", code=1)

"""``geckos3 config``."""

import pytest
from click.testing import CliRunner

from gecko_tw.commands import main
from gecko_tw.settings import SETTINGS

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
    assert "GECKOS3_SECRET_KEY='it'\"'\"'s'\n" in run("to-env", file, "--secrets", SECRET="it's")


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

"""The commands that scrub, and that look after the quarantine."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gecko_tw.commands import main
from gecko_tw.store.integrity.scrub import KIND
from tests.contract.drivers import files, pool
from tests.store.integrity.damage import flip
from tests.store.shop import BUCKET, NOW, open_shop

LARGE = os.urandom(100_000)


@pytest.fixture(params=["files", "pool"])
def damaged(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, ...]:
    """The flags for a directory whose one object of two is damaged."""
    driver = {"files": files, "pool": pool}[request.param](tmp_path / "data")
    shop = open_shop(driver)
    version = shop.put(b"cat", LARGE)
    shop.put(b"dog", b"bark")
    flip(tmp_path / "data", version)
    driver.close()
    (tmp_path / "copy").write_bytes(LARGE)
    return f"--data-dir={tmp_path / 'data'}", f"--layout={request.param}", "--scrub-bytes-per-second=0"


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, arguments)


def values(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_a_scrub_tells_what_is_damaged_and_what_it_has_read(damaged):
    told = run("scrub", *damaged)
    assert told.exit_code == 1
    assert told.stdout.splitlines() == [
        f"{BUCKET}/cat (version null), 100000 bytes: its bytes are not those that were stored",
        "2 versions and parts were read, 100004 bytes; the pass is at its end",
        "  1 are whole",
        "  1 are damaged",
    ]
    again = values("scrub", *damaged, "--full", f"--bucket={BUCKET}")
    assert (again["read"], again["held"], again["finished"], again["versions"]) == (1, 1, True, [])


def test_one_is_listed_restored_from_a_file_and_whole_then(damaged, tmp_path):
    place = damaged[:2]
    run("scrub", *damaged)
    (listed,) = values("quarantine", "list", *place)
    assert (listed["bucket"], listed["key"], listed["version_id"], listed["why"]) == (BUCKET, "cat", "null", "damaged")
    assert values("quarantine", "revalidate", *place, BUCKET, "cat") == {"restored": False}
    (tmp_path / "wrong").write_bytes(LARGE[:-1])
    refused = run("quarantine", "restore", *place, BUCKET, "cat", f"--from={tmp_path / 'wrong'}")
    assert refused.exit_code == 1
    assert "not those of the version" in refused.output
    restored = run("quarantine", "restore", *place, BUCKET, "cat", f"--from={tmp_path / 'copy'}")
    assert (restored.exit_code, restored.output) == (0, f"{BUCKET}/cat has its 100000 bytes again, and is served\n")
    assert run("quarantine", "list", *place).output == "nothing is in quarantine\n"
    assert run("scrub", *damaged).exit_code == 0


def test_one_is_restored_from_an_older_version_with_the_same_bytes(tmp_path):
    driver = pool(tmp_path)
    shop = open_shop(driver)
    shop.buckets.change(BUCKET, lambda record: record.with_setting("versioning", "Enabled"))
    old = shop.put(b"cat", LARGE)
    flip(tmp_path, shop.put(b"cat", LARGE, now=NOW + 1))
    driver.close()
    place = (f"--data-dir={tmp_path}", "--layout=pool")
    run("scrub", *place, "--full", "--scrub-bytes-per-second=0")
    told = run("quarantine", "restore", *place, BUCKET, "cat", f"--from={old.version_id}")
    assert told.exit_code == 0, told.output
    assert run("scrub", *place, "--full", "--scrub-bytes-per-second=0").exit_code == 0


def test_one_is_purged(damaged):
    place = damaged[:2]
    run("scrub", *damaged)
    assert run("quarantine", "purge", *place, BUCKET, "cat").output == f"{BUCKET}/cat is removed\n"
    refused = run("quarantine", "purge", *place, BUCKET, "dog")
    assert (refused.exit_code, refused.output) == (1, "Error: This version is not in quarantine.\n")
    assert values("scrub", *damaged)["read"] == 1


def test_what_cannot_be_scrubbed_is_told_in_one_line(damaged, tmp_path):
    for arguments in ((*damaged, "--bucket=nowhere"), (f"--data-dir={tmp_path / 'nowhere'}",)):
        told = run("scrub", *arguments)
        assert told.exit_code == 2
        assert told.output.startswith("Error: ")
        assert len(told.output.splitlines()) == 1


def test_a_person_waits_for_no_other_person(damaged, tmp_path):
    layout = {"--layout=files": files, "--layout=pool": pool}[damaged[1]]
    driver = layout(tmp_path / "data")
    other = {"holder": "x", "host": "elsewhere", "pid": 7, "attended": True, "until": 2**62}
    driver.documents.change(KIND, "lease", lambda _: other)
    driver.close()
    told = run("scrub", *damaged)
    assert (told.exit_code, told.output) == (2, "Error: a scrub is under way already: process 7 on elsewhere\n")

"""Bytes that rot beside a daemon: they are found, told, never served as whole, and given back."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ResponseStreamingError

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.test_operating import samples

LARGE = os.urandom(3_000_000)


def command(daemon: Daemon, *arguments: str) -> Any:
    words = [sys.executable, "-m", "gecko_tw.commands", *arguments, f"--data-dir={daemon.data_dir}", "--json"]
    return json.loads(subprocess.run(words, capture_output=True, check=False, timeout=60).stdout)


def flip(path: Path) -> None:
    before, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_rots_is_found_told_and_given_back(tmp_path):
    flags = ("--workers=2", "--verify-reads=1", "--admin-listen=127.0.0.1:0")
    with Daemon(tmp_path, *flags) as daemon:
        s3 = daemon.client(config=Config(retries={"max_attempts": 1}))
        s3.create_bucket(Bucket="photos")
        bodies = {
            "small": b"meow" * 100,
            "large": LARGE,
            "unread": LARGE[:100_000],
            "edited": b"before",
            "whole": b"purr",
        }
        for key, body in bodies.items():
            s3.put_object(Bucket="photos", Key=key, Body=body)
        for key in ("small", "large", "unread"):
            flip(daemon.data_dir / "photos" / key)
        (daemon.data_dir / "photos" / "edited").write_bytes(b"after")
        with pytest.raises(ClientError, match="ObjectDamaged"):
            s3.get_object(Bucket="photos", Key="small")["Body"].read()
        with pytest.raises((ResponseStreamingError, ClientError)):
            s3.get_object(Bucket="photos", Key="large")["Body"].read()
        told = command(daemon, "scrub", "--full")
        assert [one["key"] for one in told["versions"]] == ["unread"]
        assert (told["held"], told["whole"], told["damaged"]) == (2, 2, 1)
        assert {one["key"] for one in command(daemon, "quarantine", "list")} == {"small", "large", "unread"}
        for key in ("small", "large", "unread"):
            with pytest.raises(ClientError) as refused:
                s3.get_object(Bucket="photos", Key=key)
            assert refused.value.response["Error"]["Reason"] == "its bytes are not those that were stored"
            with pytest.raises(ClientError):
                s3.head_object(Bucket="photos", Key=key)
        assert s3.get_object(Bucket="photos", Key="edited")["Body"].read() == b"after"
        assert samples(daemon)["geckos3_quarantined_versions"][0].value == 3
        (tmp_path / "copy").write_bytes(LARGE)
        command(daemon, "quarantine", "restore", "photos", "large", f"--from={tmp_path / 'copy'}")
        assert s3.get_object(Bucket="photos", Key="large")["Body"].read() == LARGE
        s3.delete_object(Bucket="photos", Key="small")
        s3.put_object(Bucket="photos", Key="unread", Body=b"new")
        assert s3.get_object(Bucket="photos", Key="unread")["Body"].read() == b"new"
        assert samples(daemon)["geckos3_quarantined_versions"][0].value == 0
        assert "in quarantine: its bytes are not those that were stored" in daemon.log

"""Command-line clients of S3, each told about one daemon by a configuration of its own."""

import os
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from tests.end_to_end.daemon import Daemon
from tests.patience import PATIENCE


class CommandLine:
    """A program of the environment the tests run in.

    :param home: a folder for its configuration and its traces.
    """

    program = ""

    def __init__(self, daemon: Daemon, home: Path) -> None:
        self.daemon, self.home = daemon, home
        self.authority = str(daemon.certificates.authority) if daemon.certificates else ""

    def run(self, *arguments: str | Path, code: int = 0) -> str:
        """Runs it, expects an exit code, and returns what it wrote to standard output."""
        done = self.attempt(*arguments)
        assert done.returncode == code, f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def attempt(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Runs it, however it ends."""
        program = Path(sysconfig.get_path("scripts")) / self.program
        return subprocess.run(
            [str(program), *self.options(), *map(str, arguments)],
            cwd=self.home,
            env=self._inherited() | {"HOME": str(self.home)} | dict(self.environment()),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def options(self) -> list[str]:
        """Arguments that every call needs."""
        return []

    def environment(self) -> Mapping[str, str]:
        """The keys as AWS names them."""
        return {
            "AWS_ACCESS_KEY_ID": self.daemon.access_key,
            "AWS_SECRET_ACCESS_KEY": self.daemon.secret_key,
            "AWS_REGION": self.daemon.region,
            "AWS_DEFAULT_REGION": self.daemon.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @staticmethod
    def _inherited() -> dict[str, str]:
        # Nor is their coverage measured: none of it is ours, and they are half as fast.
        foreign = (
            "AWS_",
            "RCLONE_",
            "S3_",
            "http_proxy",
            "https_proxy",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "COV",
        )
        return {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | {
            "LC_ALL": "C.UTF-8"
        }


class Aws(CommandLine):
    """The AWS CLI."""

    program = "aws"

    def environment(self) -> Mapping[str, str]:
        more = {"AWS_ENDPOINT_URL": self.daemon.url, "AWS_PAGER": ""}
        return {**super().environment(), **more, **({"AWS_CA_BUNDLE": self.authority} if self.authority else {})}


class S3cmd(CommandLine):
    """s3cmd."""

    program = "s3cmd"

    def options(self) -> list[str]:
        host = self.daemon.url.partition("://")[2]
        secure = self.daemon.url.startswith("https")
        settings = {
            "access_key": self.daemon.access_key,
            "secret_key": self.daemon.secret_key,
            "host_base": host,
            "host_bucket": host,
            "use_https": str(secure),
            "signurl_use_https": str(secure),
            "ca_certs_file": self.authority,
            "bucket_location": self.daemon.region,
            "guess_mime_type": "True",
            "use_mime_magic": "False",
            "progress_meter": "False",
        }
        path = self.home / "s3cfg"
        path.write_text("[default]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
        return [f"--config={path}"]


class Rclone(CommandLine):
    """rclone, with the daemon as its remote ``gecko:``."""

    program = "rclone"

    def environment(self) -> Mapping[str, str]:
        remote = {
            "TYPE": "s3",
            "PROVIDER": "Other",
            "ACCESS_KEY_ID": self.daemon.access_key,
            "SECRET_ACCESS_KEY": self.daemon.secret_key,
            "ENDPOINT": self.daemon.url,
            "REGION": self.daemon.region,
        }
        more = {f"RCLONE_CONFIG_GECKO_{name}": value for name, value in remote.items()}
        return {
            **more,
            "RCLONE_CONFIG": str(self.home / "rclone.conf"),
            "RCLONE_CA_CERT": self.authority,
            "RCLONE_RETRIES": "1",
        }


class S5cmd(CommandLine):
    """s5cmd."""

    program = "s5cmd"

    def options(self) -> list[str]:
        return ["--endpoint-url", self.daemon.url, "--retry-count", "0"]

    def environment(self) -> Mapping[str, str]:
        return {
            **super().environment(),
            **({"SSL_CERT_FILE": self.authority, "AWS_CA_BUNDLE": self.authority} if self.authority else {}),
        }

"""Where a server for tests is reached, and with which key."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ARGUMENTS = {"data-dir": "folder", "access-key": "access_key", "secret-key": "secret_key"}
"""Flags that may not be among the options, and the arguments in their place."""


class CannotStart(Exception):  # noqa: N818 - named for what it tells
    """The server could not be started; says why, in the server's own words."""


class Endpoint:
    """A server that a test has for itself.

    :param options: flags of ``geckos3 serve``.
    :param folder: its data directory is ``data`` in it, and stays; by default it is a temporary one, which goes when the server ends.
    :param port: of 127.0.0.1 to listen at; 0 chooses a free one.
    :param access_key: the key that may do everything, and ``secret_key``.

    :ivar url: e.g. ``"http://127.0.0.1:41233"``, without a trailing slash; empty while it does not run.
    """

    region = "us-east-1"

    def __init__(
        self,
        options: Sequence[str],
        *,
        folder: Path | None = None,
        port: int = 0,
        access_key: str = "test",
        secret_key: str = "test",
    ) -> None:
        for flag in (option.lstrip("-").partition("=")[0] for option in options):
            if flag in ARGUMENTS:
                raise ValueError(f"--{flag} is not allowed here; allowed is the argument {ARGUMENTS[flag]}")
        self._options = tuple(options)
        self._given, self._temporary = folder, None if folder else _temporary()
        self.port, self.access_key, self.secret_key = port, access_key, secret_key
        self.url = ""

    @property
    def folder(self) -> Path:
        """What lies on the disk: ``data`` and, of a process, ``server.log``."""
        if self._given is not None:
            return Path(self._given)
        if self._temporary is None:
            self._temporary = _temporary()
        return Path(self._temporary.name)

    @property
    def data_dir(self) -> Path:
        """The data directory: an object is the file ``<bucket>/<key>`` in it."""
        return self.folder / "data"

    @property
    def authority(self) -> Path | None:
        """With ``--tls=dev`` the PEM file of whom clients must trust."""
        path = self.data_dir / ".geckos3/tls/authority.pem"
        return path if path.exists() else None

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which AWS's SDKs and command line find this server for S3, IAM and STS.

        Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
        """
        endpoints = {f"AWS_ENDPOINT_URL_{service}": self.url for service in ("S3", "IAM", "STS")}
        trusted = {} if self.authority is None else {"AWS_CA_BUNDLE": str(self.authority)}
        return (
            endpoints
            | trusted
            | {
                "AWS_ACCESS_KEY_ID": self.access_key,
                "AWS_SECRET_ACCESS_KEY": self.secret_key,
                "AWS_DEFAULT_REGION": self.region,
                "AWS_REGION": self.region,
            }
        )

    def client(self, service: str = "s3", **more: Any) -> Any:  # boto3 has no types
        """A client of boto3, which is imported now.

        :param service: ``s3``, ``iam`` or ``sts``.
        :param more: to be told to ``boto3.client``, e.g. another key pair or a ``config``.
        :raises ModuleNotFoundError: boto3 is not installed.
        """
        try:
            import boto3
        except ModuleNotFoundError as missing:
            raise ModuleNotFoundError(
                "boto3 is not installed: pip install 'gecko-tw[testing]'", name="boto3"
            ) from missing
        given = {
            "endpoint_url": self.url,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
            "region_name": self.region,
            "verify": self.authority and str(self.authority),
        }
        return boto3.session.Session().client(service, **(given | more))

    @property
    def _flags(self) -> list[str]:
        """A command line but for the keys, which nobody is to see in a list of processes."""
        return [f"--data-dir={self.data_dir}", f"--listen=127.0.0.1:{self.port}", "--workers=1", *self._options]

    def _clean(self) -> None:
        """Removes the temporary folder; the next start makes another one."""
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None


def _temporary() -> "TemporaryDirectory[str]":
    return TemporaryDirectory(prefix="geckos3-", ignore_cleanup_errors=True)

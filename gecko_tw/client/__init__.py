"""An S3 client for Twisted programs, for any server that speaks S3. It needs the extra ``client``, and nothing of the server here.

``s3 = await connect("http://localhost:9000", "geckoadmin", "geckoadmin")``
"""

from importlib.util import find_spec

if find_spec("botocore") is None:
    raise ModuleNotFoundError('gecko_tw.client needs botocore: pip install "gecko-tw[client]"', name="botocore")

from gecko_tw.client.connecting import Options, connect
from gecko_tw.client.downloads import Body
from gecko_tw.client.errors import (
    BodyUsed,
    ChecksumMismatch,
    ConditionFailed,
    ConnectionCut,
    ConnectionRefused,
    Denied,
    ExpiredKey,
    NoCredentials,
    NoSuchBucket,
    NoSuchKey,
    NoSuchUpload,
    NotFound,
    NotTrusted,
    Refusal,
    S3Error,
    TimedOut,
    UnknownHost,
    UnknownKey,
    Unreachable,
    UploadInterrupted,
    WrongClock,
    WrongEndpoint,
    WrongSecret,
)
from gecko_tw.client.multipart import Plan
from gecko_tw.client.operations import Operations
from gecko_tw.client.s3 import S3

__all__ = [
    "S3",
    "Body",
    "BodyUsed",
    "ChecksumMismatch",
    "ConditionFailed",
    "ConnectionCut",
    "ConnectionRefused",
    "Denied",
    "ExpiredKey",
    "NoCredentials",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchUpload",
    "NotFound",
    "NotTrusted",
    "Operations",
    "Options",
    "Plan",
    "Refusal",
    "S3Error",
    "TimedOut",
    "UnknownHost",
    "UnknownKey",
    "Unreachable",
    "UploadInterrupted",
    "WrongClock",
    "WrongEndpoint",
    "WrongSecret",
    "connect",
]

"""What only the admin API refuses; as in ``store/refusals.py`` the class name is the code, its docstring the message."""

from gecko_tw.store.refusals import Refusal


class NotFound(Refusal):
    """There is nothing here."""


class UnsupportedMediaType(Refusal):
    """A body must be JSON: Content-Type: application/json."""


class NotLive(Refusal):
    """Only a running daemon knows this."""


class PresignUnavailable(Refusal):
    """It cannot be told where clients find S3, or there is no key to sign with: --public-base-url says where."""


class MalformedCORSConfiguration(Refusal):
    """The CORS configuration is not such as {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}."""


class TooManyStreams(Refusal):
    """This process sends as many live streams as it may."""

"""Keys of server-side encryption."""

from gecko_tw.admin.rows import GET, Asked, row
from gecko_tw.admin.schemas import answer, listed, maybe, members, text, whole
from gecko_tw.resources.dispatch.operations import POST
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

KEYS = listed(answer(name=maybe({"type": "string"}), generations=whole()))
_NAME = text(128, least=1, pattern=r"^[^/\s]+$")
_TOLD = answer(message={"type": "string"})


@row("ListEncryptionKeys", GET, "/encryption-keys", needs="admin:KMSKeyStatus", answer=KEYS)
def list_keys(asked: Asked) -> Json:
    """Names of keys and how many generations each has; the name of that of SSE-S3 is null."""
    return asked.ground.rings.values()


@row(
    "CreateEncryptionKey",
    POST,
    "/encryption-keys",
    needs="admin:KMSCreateKey",
    body=members(["name"], name=_NAME),
    answer=_TOLD,
)
def create_key(asked: Asked) -> Json:
    """Adds a key for SSE-KMS; nothing happens when there is one of that name."""
    name = asked.given("name")
    if not name.isprintable():
        raise InvalidArgument("body.name: allowed are printable characters", Field="body.name")
    return {"message": asked.ground.rings.add(name)}


@row(
    "RotateEncryptionKey",
    POST,
    "/encryption-keys/rotate",
    needs="admin:KMSRotateKey",
    body=members(name=maybe(text(1024, least=1))),
    answer=_TOLD,
)
def rotate_key(asked: Asked) -> Json:
    """Encrypts with a new generation of a key from now on; without a name that of SSE-S3. What was encrypted stays readable."""
    return {"message": asked.ground.rings.rotate(asked.given("name"))}

"""Many clients on few keys, and what each of them saw."""

import hashlib
import threading
import time
from collections import defaultdict
from http.client import HTTPConnection, HTTPException
from itertools import count
from random import Random
from xml.etree import ElementTree

from attrs import evolve

from tests.end_to_end.daemon import Daemon
from tests.histories import ABSENT, Deed
from tests.patience import PATIENCE

PARTS = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>"


class Client:
    """One client with one connection at a time, doing one thing after the other until it is told to stop.

    :param seed: what it does is chosen by this.
    :param pause: seconds that it waits after what nobody has answered.
    :ivar deeds: what it saw, by key; ``done`` is how many of them were answered.
    """

    def __init__(self, daemon: Daemon, bucket: str, keys: list[str], seed: int, pause: float = 0.5) -> None:
        self.deeds: dict[str, list[Deed]] = defaultdict(list)
        self._port, self._bucket, self._keys, self._chance = daemon.port, bucket, keys, Random(seed)
        self._pause = pause
        self._connection: HTTPConnection | None = None
        self._bodies = (f"{seed}-{number}".encode() for number in count())
        self._seen: dict[str, str] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.trouble: BaseException | None = None
        self.done = 0

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def _work(self) -> None:
        try:
            while not self._ended.is_set():
                key = self._chance.choice(self._keys)
                self._chance.choice((self._get, self._put, self._put, self._complete, self._delete))(key)
        except BaseException as trouble:  # told to the test by ``end``
            self.trouble = trouble
            raise

    def end(self) -> None:
        """Lets it finish what it does, and raises what went wrong in it."""
        self._ended.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        if self.trouble is not None:
            raise self.trouble

    def _get(self, key: str) -> None:
        deed = Deed(kind="get", called=time.monotonic())
        answer = self._ask("GET", key)
        read = ABSENT if answer is None or answer[0] != 200 else answer[1]["ETag"].strip('"')
        if answer is not None and answer[0] == 200:
            body = answer[2]
            assert "-" in read or hashlib.md5(body).hexdigest() == read, (
                "bytes of one version under the ETag of another"
            )
            self._seen[key] = read
        self._note(key, evolve(deed, read=read), answer)

    def _put(self, key: str) -> None:
        body, conditions = next(self._bodies), self._conditions(key, True)
        deed = Deed(kind="put", called=time.monotonic(), writes=hashlib.md5(body).hexdigest(), **conditions)
        self._note(key, deed, self._ask("PUT", key, body, conditions))

    def _complete(self, key: str) -> None:
        """A multipart upload: only its end is a write."""
        started = self._ask("POST", key + "?uploads")
        if started is None or started[0] != 200:
            return
        upload = ElementTree.fromstring(started[2]).findtext("{*}UploadId")
        body = next(self._bodies)
        part = self._ask("PUT", f"{key}?partNumber=1&uploadId={upload}", body)
        if part is None or part[0] != 200:
            return
        conditions = self._conditions(key, True)
        etag = hashlib.md5(hashlib.md5(body).digest()).hexdigest() + "-1"
        deed = Deed(kind="put", called=time.monotonic(), writes=etag, **conditions)
        listed = PARTS.format(part[1]["ETag"]).encode()
        self._note(key, deed, self._ask("POST", f"{key}?uploadId={upload}", listed, conditions))

    def _delete(self, key: str) -> None:
        conditions = self._conditions(key, False)
        deed = Deed(kind="delete", called=time.monotonic(), **conditions)
        self._note(key, deed, self._ask("DELETE", key, b"", conditions))

    def _conditions(self, key: str, creating: bool) -> dict:
        kind = self._chance.random()
        if kind < 0.4 and key in self._seen:
            return {"if_match": self._seen[key]}
        return {"if_none_match": True} if kind < 0.7 and creating else {}

    def _note(self, key: str, deed: Deed, answer: tuple | None) -> None:
        if answer is None or answer[0] == 503:
            if deed.kind != "get":
                self.deeds[key].append(deed)
            self._ended.wait(
                self._pause
            )  # as clients do that are asked to: many deeds of unknown effect take long to explain
            return
        assert answer[0] in (200, 204, 404, 412), answer
        self.deeds[key].append(evolve(deed, answered=time.monotonic(), status=answer[0]))
        self.done += 1

    def _ask(self, method: str, path: str, body: bytes = b"", conditions: dict | None = None) -> tuple | None:
        """Status, headers and body of the answer; None when none came."""
        headers = {}
        if conditions:
            if "if_match" in conditions:
                headers["If-Match"] = f'"{conditions["if_match"]}"'
            if "if_none_match" in conditions:
                headers["If-None-Match"] = "*"
        try:
            if self._connection is None:
                self._connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
            self._connection.request(method, f"/{self._bucket}/{path}", body, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, HTTPException):
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return None


def merged(clients: list[Client]) -> dict[str, list[Deed]]:
    """What all of them saw, by key."""
    together: dict[str, list[Deed]] = defaultdict(list)
    for client in clients:
        for key, deeds in client.deeds.items():
            together[key] += deeds
    return together

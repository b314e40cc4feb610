"""Events reach a real receiver, also one that is not always there."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.end_to_end.daemon import Daemon
from tests.patience import eventually


class Receiver:
    """An HTTP server that keeps what is posted to it, after refusing the first few."""

    def __init__(self, refusals=0):
        self.bodies, outer = [], self
        self._refusals = refusals

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer._refusals:
                    outer._refusals -= 1
                    self.send_response(503)
                else:
                    outer.bodies.append(json.loads(body))
                    self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Says nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Answering)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def await_bodies(self, count):
        eventually(lambda: len(self.bodies) >= count)
        return self.bodies


@pytest.mark.parametrize("refusals", [0, 1])
def test_events_are_posted_in_order_to_a_webhook(tmp_path, refusals):
    with (
        Receiver(refusals) as receiver,
        Daemon(tmp_path, "--workers=2", f"--webhook=hook=http://127.0.0.1:{receiver.port}/events?x=1") as daemon,
    ):
        s3 = daemon.client()
        s3.create_bucket(Bucket="photos")
        wanted = {"QueueArn": "arn:minio:sqs::hook:webhook", "Events": ["s3:ObjectCreated:*"]}
        s3.put_bucket_notification_configuration(
            Bucket="photos", NotificationConfiguration={"QueueConfigurations": [wanted]}
        )
        for number in range(5):
            s3.put_object(Bucket="photos", Key=f"{number}", Body=b"x")
        first, *rest = receiver.await_bodies(6)
    assert first["Event"] == "s3:TestEvent"
    items = [body["Records"][0]["s3"]["object"] for body in rest]
    assert [item["key"] for item in items] == ["0", "1", "2", "3", "4"]
    assert sorted(item["sequencer"] for item in items) == [item["sequencer"] for item in items]


def test_events_outlive_a_restart(tmp_path):
    with Receiver() as receiver, Daemon(tmp_path, f"--webhook=hook=http://127.0.0.1:{receiver.port}/") as daemon:
        s3 = daemon.client()
        s3.create_bucket(Bucket="photos")
        wanted = {"QueueArn": "arn:minio:sqs::hook:webhook", "Events": ["s3:ObjectRemoved:*", "s3:ObjectCreated:*"]}
        s3.put_bucket_notification_configuration(
            Bucket="photos", NotificationConfiguration={"QueueConfigurations": [wanted]}
        )
        s3.put_object(Bucket="photos", Key="k", Body=b"x")
        daemon.kill()
        daemon.start()
        assert receiver.await_bodies(2)[-1]["Records"][0]["s3"]["object"]["key"] == "k"

"""Lines of requests and messages: whole, on one line, and short enough for a pipe."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from gecko_tw.daemon.logs import LONGEST, Messages, RequestLog, as_json, as_text, observer, write_line
from gecko_tw.resources.access_logs.entries import AccessEntry


def entry(target=b"/photos/cat.jpg", error=""):
    return AccessEntry(1.0, 0.002, "1F", "GET", target, 200, 3, "127.0.0.1:1", "GetObject", error)


def lines_of(style, one):
    lines = []
    RequestLog(style, lines.append)(one)
    return lines


def test_a_request_is_one_json_object_with_geckos3_names():
    (line,) = lines_of("mixed", entry())
    assert json.loads(line) == {
        "timestamp": "1970-01-01T00:00:01Z",
        "request_id": "1F",
        "method": "GET",
        "uri": "/photos/cat.jpg",
        "status": 200,
        "duration_ms": 2,
        "bytes": 3,
        "client_ip": "127.0.0.1:1",
        "operation": "GetObject",
        "level": "info",
    }


@given(st.binary(max_size=9000), st.text(max_size=9000), st.sampled_from(["text", "json"]))
def test_a_line_of_any_request_fits_a_pipe_and_is_one_line(target, error, style):
    (line,) = lines_of(style, entry(b"/" + target, error))
    assert len(line.encode("utf-8", "backslashreplace")) < LONGEST
    assert "\n" not in line
    if style == "json":
        assert json.loads(line)["request_id"] == "1F"


def events():
    found = []
    log = Logger(namespace="gecko_tw.test", observer=found.append)
    log.info("told {what}", what="this")
    log.warn("careful")
    log.failure("broken", Failure(ValueError("why")))
    return found


def test_messages_for_people_have_their_level_unless_it_is_information():
    told, careful, broken = (as_text(event).split(" ", 1)[1] for event in events())
    assert told == "told this"
    assert careful == "warn: careful"
    assert broken.startswith("critical: broken\nTraceback")
    assert "ValueError: why" in broken


def test_messages_as_json_are_one_object_each():
    told, _, broken = (json.loads(as_json(event)) for event in events())
    assert (told["level"], told["message"], told["logger"]) == ("info", "told this", "gecko_tw.test")
    assert "ValueError: why" in broken["traceback"]


@pytest.fixture
def pipe():
    read, write = os.pipe()
    yield read, write
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("style", ["mixed", "text", "json"])
def test_a_message_is_written_at_once(pipe, style):
    read, write = pipe
    Messages(style, write)(events()[0])
    assert os.read(read, LONGEST).endswith((b"told this\n", b"}\n"))


def test_a_reader_that_is_gone_stops_nobody():
    read, write = os.pipe()
    os.close(read)
    write_line(write, "nobody hears")
    os.close(write)


@pytest.mark.parametrize(
    ("level", "namespace", "of", "shown"),
    [
        ("info", "gecko_tw.daemon.main_process", LogLevel.info, True),
        ("info", "gecko_tw.daemon.main_process", LogLevel.debug, False),
        ("info", "twisted.internet", LogLevel.info, False),
        ("info", "log_legacy", LogLevel.info, False),
        ("info", "twisted.internet", LogLevel.warn, True),
        ("debug", "twisted.internet", LogLevel.info, True),
        ("error", "gecko_tw.daemon.main_process", LogLevel.warn, False),
        ("error", "twisted.internet", LogLevel.warn, False),
        ("error", "twisted.internet", LogLevel.critical, True),
    ],
)
def test_the_level_decides_what_is_shown(level, namespace, of, shown, capfd):
    watcher = observer(level, "text")
    watcher({"log_level": of, "log_namespace": namespace, "log_format": "hello", "log_time": 0.0})
    assert ("hello" in capfd.readouterr().err) is shown

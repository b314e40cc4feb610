"""The settings that say who may use a bucket, as they are kept in memory."""

import json

from gecko_tw.resources.gates import access_settings
from gecko_tw.resources.gates.access_settings import REMEMBERED, policy_of


def policy(number: int, size: int) -> str:
    resources = ["arn:aws:s3:::photos/" + f"{number}-".ljust(900, "x") for _ in range(size // 900)]
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resources}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_policies_that_change_all_the_time_fill_no_memory() -> None:
    texts = [policy(number, 18_000) for number in range(2 * REMEMBERED // 18_000)]
    for text in texts:
        policy_of(text, "photos")
    assert sum(len(text) for text, _ in access_settings._read) <= REMEMBERED
    assert (texts[-1], "photos") in access_settings._read


def test_a_policy_is_read_once() -> None:
    text = policy(1, 900)
    assert policy_of(text, "photos")[0] is policy_of(text, "photos")[0]
    assert policy_of(text, "photos")[1]

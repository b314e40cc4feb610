"""Whole clusters take long to start: their tests run in ``make cluster-test`` alone."""

import os

from tests.clusters.postgresql import servers_end  # noqa: F401 - a fixture

collect_ignore_glob = [] if os.environ.get("WITH_CLUSTERS") else ["test_*.py"]

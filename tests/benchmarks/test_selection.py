"""Which rows and peers are measured, and how peers are described."""

from itertools import groupby

import click
import pytest

from benchmarks.peers import FSYNC, PEERS, PLAIN, TLS, Peer, found_peers, variants
from benchmarks.rows.listing import PAGE, key_of, pages
from benchmarks.rows.warp import rate_of
from benchmarks.running import LeftOut
from benchmarks.selection import ROWS, wanted_peers, wanted_rows


def names(rows) -> list[str]:
    return [row.name for row in rows]


def test_rows_are_chosen_by_how_their_names_begin_and_by_whole_names_first(tmp_path):
    assert names(wanted_rows(["GET 4 KiB"], False, tmp_path)) == ["GET 4 KiB"]
    assert names(wanted_rows(["get 4"], False, tmp_path)) == ["GET 4 KiB", "GET 4 KiB, signed in the head"]
    with pytest.raises(click.UsageError):
        wanted_rows(["SPIN"], False, tmp_path)


def test_a_quick_benchmark_has_no_large_buckets(tmp_path):
    assert not [name for name in names(wanted_rows([], True, tmp_path)) if "100,000" in name or "1,000,000" in name]


def test_rows_of_one_mode_stand_together_so_that_servers_start_once():
    modes = [mode for mode, _ in groupby(row.mode for row in ROWS)]
    assert sorted(modes) == sorted({PLAIN, TLS, FSYNC})


def test_every_row_has_its_own_name():
    every = [figure.name for row in ROWS for figure in row.figures]
    assert len(set(every)) == len(every)


def test_peers_are_found_where_a_variable_says_and_our_own_launcher_is_not_the_original(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    (tmp_path / "bin").mkdir()
    for name, content in (("geckos3", "#!/usr/bin/python3\n"), ("minio", "")):
        (tmp_path / "bin" / name).write_text(content)
        (tmp_path / "bin" / name).chmod(0o755)
    assert [peer.key for peer in found_peers(tmp_path)] == ["minio"]
    monkeypatch.setenv("BENCH_GECKOS3", str(tmp_path / "bin/geckos3"))
    assert [peer.key for peer in found_peers(tmp_path)] == ["geckos3", "minio"]


def test_only_peers_that_are_there_can_be_wanted():
    assert wanted_peers(PEERS, ["none"]) == []
    assert [peer.key for peer in wanted_peers(PEERS, ["minio", "moto"])] == ["minio", "moto"]
    with pytest.raises(click.UsageError):
        wanted_peers(PEERS[:1], ["minio"])


@pytest.mark.parametrize("peer", [*variants(), *PEERS], ids=lambda peer: peer.key)
def test_a_description_names_only_what_is_given_to_it(peer: Peer):
    given = {f"port{number}": 1 for number in range(2, 10)}
    given |= dict.fromkeys(("port", "data", "folder", "access", "secret", "cert", "key", "certs"), 1)
    texts = [*peer.environment.values(), *peer.files.values()]
    for mode in peer.modes():
        texts += peer.arguments(mode)
    assert not [text for text in texts if "..." in text.format(**given)]
    assert peer.contestant().options


def test_all_pages_are_full_and_differ():
    for size in (PAGE, 100 * PAGE):
        starts = [page.get("start-after", "") for page in pages(size)]
        assert all(start <= key_of(size - PAGE - 1) for start in starts)
        assert len(set(starts)) == (1 if size == PAGE else len(starts))


def test_the_total_of_a_report_of_warp_is_its_rate():
    report = (
        "Report: GET. Concurrency: 16. Ran: 1s\n * Average: 9.00 MiB/s, 2300.50 obj/s\n * Errors: 3\n"
        "Report: STAT. Concurrency: 16. Ran: 1s\n * Average: 1500.00 obj/s\n"
        "Report: Total. Concurrency: 16. Ran: 1s\n * Average: 12.00 MiB/s, 5100.25 obj/s\n * Errors: 4\n"
    )
    assert (rate_of(report).value, rate_of(report).errors) == (5100.25, 4)
    with pytest.raises(LeftOut):
        rate_of("nothing")

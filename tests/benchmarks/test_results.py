"""What becomes of runs: medians, ratios, tables, a picture, JSON and back."""

from xml.etree import ElementTree

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.picture import svg
from benchmarks.report import MARK, markdown, text, update
from benchmarks.results import OURS, Contestant, Figure, Measured, Results, Run, load, save
from benchmarks.table import figures_table, notes, number

RATES = st.lists(st.floats(1, 1e6), min_size=1, max_size=7)


def runs(*values: float, errors: int = 0) -> list[Run]:
    return [Run(value, p50=1.5, p99=9, errors=errors, cpu=100.0, others=0.25) for value in values]


@pytest.fixture
def results() -> Results:
    rate, time = Figure("GET 4 KiB", "a second"), Figure("Start", "ms", less=True)
    return Results(
        command="make bench",
        date="2026-01-31",
        machine={"processor": "fast", "cores": "2"},
        settings={"runs": 3, "seconds": 1.5},
        contestants=[
            Contestant(OURS, "GeckoS3 on Twisted", "1.0", "geckos3 serve"),
            Contestant("one", "One", "2", "one <start>"),
            Contestant("two", "Two", "3", "two"),
        ],
        rows=[
            Measured(rate, {OURS: runs(300, 100, 200), "one": runs(100, 100, 100), "two": runs(900, errors=2)}),
            Measured(time, {OURS: runs(50), "one": runs(20)}, {"two": "ended with code 1"}),
        ],
    )


def test_a_ratio_compares_runs_of_the_same_round(results):
    drifting = Measured(Figure("PUT", "a second"), {OURS: runs(100, 1000), "one": runs(50, 500)})
    assert drifting.ratio(OURS, "one") == 2
    assert results.rows[0].ratio(OURS, "one") == 2


@given(RATES)
def test_a_ratio_is_above_one_when_we_are_better(values):
    for less in (False, True):
        row = Measured(
            Figure("", "", less=less),
            {"better": runs(*values), "worse": runs(*(v * (2 if less else 0.5) for v in values))},
        )
        assert row.ratio("better", "worse") == pytest.approx(2)
        assert row.best_peer("nobody", ["worse", "better"]) == "better"


def test_runs_with_errors_are_marked_and_compared_with_nothing(results):
    [rates, _] = results.rows
    assert rates.ratio(OURS, "two") is None
    assert rates.best_peer(OURS, results.peers()) == "one"
    assert figures_table(results).rows[0] == ["GET 4 KiB (a second)", "200", "100", "900!", "One", "2.00"]
    assert "Two: 2 errors (GET 4 KiB)" in notes(results)


def test_no_answer_at_all_is_no_rate(results):
    silent = Measured(Figure("LIST", "a second"), {OURS: runs(5), "one": runs(0)})
    assert silent.ratio(OURS, "one") is None and silent.best_peer(OURS, ["one"]) is None
    assert figures_table(evolve(results, rows=[silent])).rows == [["LIST (a second)", "5.00", "none", "-", "-", "-"]]


def test_who_is_missing_is_told_with_the_reason(results):
    assert figures_table(results).rows[1] == ["Start (ms)", "50.0", "20.0", "-", "One", "0.40"]
    assert "Two: ended with code 1 (Start)" in notes(results)
    assert "25% of the machine" in text(results)


def test_a_reason_with_lines_and_tags_stays_a_line_that_can_be_read(results):
    row = Measured(Figure("LIST", "a second"), {OURS: runs(5)}, {"two": "500 <Error>\n<Code>InternalError</Code>"})
    told = evolve(results, rows=[row])
    assert notes(told) == ["Two: 500 <Error> <Code>InternalError</Code> (LIST)"]
    assert "- Two: 500 &lt;Error&gt; &lt;Code&gt;InternalError&lt;/Code&gt; (LIST)\n" in markdown(told, "x.svg")


def test_results_come_back_from_json_as_they_were(results, tmp_path):
    save(results, tmp_path / "results.json")
    assert load(tmp_path / "results.json") == results


def test_a_page_gets_the_tables_and_keeps_its_text(results, tmp_path):
    page = tmp_path / "performance.md"
    page.write_text(f"before\n<!-- {MARK} -->\nold\n<!-- end of {MARK} -->\nafter\n")
    for _ in range(2):
        update(results, page)
    assert (
        page.read_text()
        == f"before\n<!-- {MARK} -->\n{markdown(results, f'performance-{MARK}.svg')}<!-- end of {MARK} -->\nafter\n"
    )
    assert (tmp_path / f"performance-{MARK}.svg").read_text() == svg(results)


def test_the_picture_has_a_dot_for_each_ratio_and_for_each_peer_in_its_legend(results):
    dots = ElementTree.fromstring(svg(results)).findall(".//{http://www.w3.org/2000/svg}circle")
    assert [dot[0].text for dot in dots] == ["One", "Two", "one: 0.50", "one: 2.50"]


def test_numbers_have_about_three_figures():
    assert [number(value) for value in (12345.6, 99.94, 1.234)] == ["12,346", "99.9", "1.23"]

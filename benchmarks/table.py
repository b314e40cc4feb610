"""Results as tables: aligned text for a terminal, Markdown for the documentation."""

from collections.abc import Sequence

from attrs import frozen

from benchmarks.results import OURS, Contestant, Measured, Results


@frozen
class Table:
    """A heading and rows of cells.

    :ivar words: all columns are words; else all but the first are figures.
    """

    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: bool = False

    def text(self) -> str:
        """Aligned columns, the first to the left and the others to the right."""
        lines = [self.heading, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.heading))]
        return "".join(
            "  ".join(
                cell.rjust(width) if column else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            + "\n"
            for line in lines
        )

    def markdown(self) -> str:
        """A Markdown table."""
        rule = ["---", *(["---" if self.words else "---:"] * (len(self.heading) - 1))]
        return "".join("| " + " | ".join(line) + " |\n" for line in [self.heading, rule, *self.rows])


def figures_table(results: Results) -> Table:
    """The median of each figure for each server, the best peer, and our ratio to it."""
    keys, variants, peers = _keys(results), results.variants(), results.peers()
    ratios = [f"{_short(results, key)} / best peer" for key in variants] if peers else []
    rows = []
    for row in results.rows:
        line = [f"{row.figure.name} ({row.figure.unit})", *(_cell(row, key) for key in keys)]
        if peers:
            best = [row.best_peer(ours, peers) for ours in variants]
            line.append(next((_short(results, one) for one in best if one), "-"))
            line += [_ratio(row, ours, one) for ours, one in zip(variants, best, strict=True)]
        rows.append(line)
    heading = ["", *(_short(results, key) for key in keys), *(["best peer"] if peers else []), *ratios]
    return Table(heading, rows)


def latencies_table(results: Results) -> Table:
    """Medians of p50 and p99 in milliseconds, for the rows that have them."""
    keys = _keys(results)
    rows = [
        [row.figure.name, *(_latency(row, key) for key in keys)]
        for row in results.rows
        if any(row.latency_of(key) for key in keys)
    ]
    return Table(["p50 / p99 in ms", *(_short(results, key) for key in keys)], rows)


def processor_table(results: Results) -> Table:
    """Medians of the server's own processor time for each request or MiB: what other processes do hardly changes it."""
    keys = _keys(results)
    rows = []
    for row in results.rows:
        found = [row.cpu_of(key) for key in keys]
        if any(found):
            rows.append([row.figure.name, *("-" if one is None else number(one) for one in found)])
    return Table(["processor time in us a request or MiB", *(_short(results, key) for key in keys)], rows)


def contestants_table(results: Results) -> Table:
    """Who took part, in which version and with which options."""
    rows = [[one.name, one.version, f"`{one.options}`", one.note] for one in results.contestants]
    return Table(["", "version", "started as", ""], rows, words=True)


def notes(results: Results) -> list[str]:
    """Why somebody is missing in a row, the same reasons for several rows together; and how many errors there were."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in results.rows:
        for key, reason in row.left_out.items():
            # An answer that was refused may have lines and tags.
            reasons.setdefault((_short(results, key), " ".join(reason.split())), []).append(row.figure.name)
    together: dict[tuple[str, str], list[str]] = {}
    for (name, reason), rows in reasons.items():
        together.setdefault((reason, "; ".join(rows)), []).append(name)
    told = [f"{', '.join(names)}: {reason} ({rows})" for (reason, rows), names in together.items()]
    for row in results.rows:
        told += [
            f"{_short(results, key)}: {errors:,} errors ({row.figure.name})"
            for key in _keys(results)
            if (errors := row.errors_of(key))
        ]
    return told


def circumstances(results: Results) -> str:
    """Date, machine and settings in a sentence each."""
    machine = "; ".join(f"{name}: {value}" for name, value in results.machine.items() if value)
    settings = ", ".join(f"{name} {value:g}" for name, value in results.settings.items())
    taken = results.disturbance()
    others = "Other processes took {:.0%} of the machine during the median run, and {:.0%} at most.".format(*taken)
    return f"Measured {results.date} with {settings}. {machine[:1].upper()}{machine[1:]}. {others}"


def _keys(results: Results) -> list[str]:
    return [*results.variants(), *results.peers()]


def _short(results: Results, key: str) -> str:
    """A name for the head of a column."""
    found: dict[str, Contestant] = {one.key: one for one in results.contestants}
    if key.startswith(OURS):
        return "ours" + key.removeprefix(OURS).replace("-", ", ", 1)
    return found[key].name if key in found else key


def _cell(row: Measured, key: str) -> str:
    """The median; ``!`` stands for errors, ``none`` for no good answer at all."""
    value = row.median_of(key)
    if value is None:
        return "-"
    mark = "!" if row.errors_of(key) else ""
    return ("none" if value == 0 else number(value)) + mark


def _ratio(row: Measured, ours: str, theirs: str | None) -> str:
    ratio = row.ratio(ours, theirs) if theirs else None
    return "-" if ratio is None else f"{ratio:.2f}"


def _latency(row: Measured, key: str) -> str:
    found = row.latency_of(key)
    return f"{number(found[0])} / {number(found[1])}" if found else "-"


def number(value: float) -> str:
    """Three figures are enough; more would be noise."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"

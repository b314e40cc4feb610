"""Results as one picture (SVG): for each row, how each peer does beside ours."""

from html import escape
from math import log10

from benchmarks.results import OURS, Measured, Results

_COLOURS = ("#c0392b", "#d68910", "#7d3c98", "#2471a3", "#707b7c", "#a04000", "#117a65", "#2c3e50")
_OURS = "#1e8449"
_LEFT, _WIDTH, _RIGHT, _LINE, _TOP = 330, 620, 30, 20, 70
_LEAST, _MOST = -2.0, 1.0
"""Powers of ten that the axis covers; what lies outside is drawn at its end."""


def svg(results: Results) -> str:
    """A line for each row and a dot for each peer: left of the middle it does worse than we, right of it better."""
    colours = {key: _OURS for key in results.variants() if key != OURS}
    colours |= {key: _COLOURS[number % len(_COLOURS)] for number, key in enumerate(results.peers())}
    drawn = [row for row in results.rows if any(row.ratio(OURS, key) for key in colours)]
    bottom = _TOP + _LINE * len(drawn)
    parts = [*_legend(results, colours), *_axis(bottom)]
    for number, row in enumerate(drawn):
        parts += _row(row, colours, _TOP + _LINE * number + _LINE // 2)
    width, height = _LEFT + _WIDTH + _RIGHT, bottom + 30
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="12">\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _legend(results: Results, colours: dict[str, str]) -> list[str]:
    names = {one.key: one.name for one in results.contestants}
    parts, at = [_text(_LEFT, 20, "ours = 1; a dot is a peer, further right is better (logarithmic)")], _LEFT
    for key, colour in colours.items():
        parts += [_dot(at + 5, 38, colour, names[key]), _text(at + 14, 42, names[key])]
        at += 30 + 7 * len(names[key])
    return parts


def _axis(bottom: int) -> list[str]:
    parts = []
    for value in (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10):
        at, ours = _place(value), value == 1
        stroke = f'stroke="{_OURS}" stroke-width="2"' if ours else 'stroke="#dddddd"'
        parts.append(f'<line x1="{at:.1f}" y1="{_TOP}" x2="{at:.1f}" y2="{bottom}" {stroke}/>')
        parts.append(_text(at, bottom + 16, f"{value:g}", "middle"))
    return parts


def _row(row: Measured, colours: dict[str, str], at: int) -> list[str]:
    parts = [_text(_LEFT - 10, at + 4, row.figure.name, "end")]
    parts.append(f'<line x1="{_LEFT}" y1="{at}" x2="{_LEFT + _WIDTH}" y2="{at}" stroke="#eeeeee"/>')
    for key, colour in colours.items():
        ratio = row.ratio(OURS, key)
        if ratio:
            parts.append(_dot(_place(1 / ratio), at, colour, f"{key}: {1 / ratio:.2f}"))
    return parts


def _place(value: float) -> float:
    power = min(max(log10(value), _LEAST), _MOST)
    return _LEFT + (power - _LEAST) / (_MOST - _LEAST) * _WIDTH


def _dot(x: float, y: float, colour: str, title: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{colour}" fill-opacity="0.8"><title>{escape(title)}</title></circle>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" fill="#222222">{escape(text)}</text>'

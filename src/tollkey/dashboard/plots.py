"""Charts as SVG, rendered on the server: stacked bars with title, description, and the numbers as a table.

Colours are set by the style sheet (classes ``plot-2``, ``plot-4`` …), which has a light and a dark theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 8, 10, 26
_MOST_LABELS = 8


class Series(NamedTuple):
    """One data series. tone: suffix of its CSS class, such as ``5`` for ``plot-5``. values: one per label."""

    name: str
    tone: str
    values: Sequence[int]


class Row(NamedTuple):
    """One row of a horizontal bar chart. url: link of the label, or ""."""

    label: str
    value: int
    url: str = ""
    tone: str = "2"


def ceiling(most: int) -> tuple[int, int]:
    """The maximum of an axis and the step of its grid lines: 1, 2 or 5 times a power of ten, at most five lines."""
    if most <= 4:
        return max(most, 1), 1
    step, size = 1, 1
    while True:
        for factor in (1, 2, 5):
            step = factor * size
            if step * 5 >= most:
                return -(-most // step) * step, step
        size *= 10


def columns(id: str, title: str, labels: Sequence[str], series: Sequence[Series]) -> Markup:
    """A stacked column chart, with one column per label. id: of the chart, unique on the page."""
    totals = [sum(one.values[place] for one in series) for place in range(len(labels))]
    top, step = ceiling(max(totals, default=0))
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    parts = [
        Markup('<title id="{0}-t">{1}</title><desc id="{0}-d">{2}</desc>').format(
            id, title, describe(labels, series, totals)
        )
    ]
    for value in range(0, top + 1, step):
        y = _TOP + high - high * value / top
        parts.append(
            Markup('<line class="plot-grid" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/>').format(
                _LEFT, _WIDTH - _RIGHT, y=y
            )
        )
        parts.append(
            Markup('<text class="plot-tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
                _LEFT - 8, y + 4, f"{value:,}"
            )
        )
    slot = wide / max(len(labels), 1)
    for place, label in enumerate(labels):
        x, below = _LEFT + slot * place, _TOP + float(high)
        for one in series:
            tall = high * one.values[place] / top
            if tall:
                below -= tall
                parts.append(
                    Markup(
                        '<rect class="plot-{}" x="{:.1f}" y="{:.1f}" width="{:.1f}"'
                        ' height="{:.1f}"><title>{}</title></rect>'
                    ).format(
                        one.tone,
                        x + slot * 0.12,
                        below,
                        slot * 0.76,
                        tall,
                        f"{label}: {one.values[place]:,} {one.name}",
                    )
                )
    parts += _labels(labels, slot)
    svg = Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-labelledby="{id}-t {id}-d">{}</svg>').format(
        _WIDTH, _HEIGHT, Markup("").join(parts), id=id
    )
    return Markup('<figure class="plot-figure">{}{}{}</figure>').format(
        _legend(series), svg, _table(title, labels, series)
    )


def _labels(labels: Sequence[str], slot: float) -> list[Markup]:
    every = -(-len(labels) // _MOST_LABELS)
    return [
        Markup('<text class="plot-tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            _LEFT + slot * (place + 0.5), _HEIGHT - 8, label
        )
        for place, label in enumerate(labels)
        if every and place % every == 0
    ]


def describe(labels: Sequence[str], series: Sequence[Series], totals: Sequence[int]) -> str:
    """A description of the chart for screen readers."""
    if not sum(totals):
        return "No requests in this period."
    best = max(range(len(totals)), key=totals.__getitem__)
    sums = ", ".join(f"{sum(one.values):,} {one.name}" for one in series if sum(one.values))
    return f"{sum(totals):,} in total: {sums}. Highest at {labels[best]}: {totals[best]:,}."


def _legend(series: Sequence[Series]) -> Markup:
    if len(series) < 2:
        return Markup("")
    items = Markup("").join(
        Markup('<li><span class="plot-key plot-bg-{}"></span>{} <strong>{}</strong></li>').format(
            one.tone, one.name, f"{sum(one.values):,}"
        )
        for one in series
    )
    return Markup('<ul class="plot-legend">{}</ul>').format(items)


def _table(title: str, labels: Sequence[str], series: Sequence[Series]) -> Markup:
    head = Markup("").join(Markup('<th scope="col" class="number">{}</th>').format(one.name) for one in series)
    rows = Markup("").join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            label,
            Markup("").join(Markup('<td class="number">{}</td>').format(f"{one.values[place]:,}") for one in series),
        )
        for place, label in enumerate(labels)
        if any(one.values[place] for one in series)
    )
    return Markup(
        '<details class="plot-table"><summary>View as table</summary><div class="scroll" tabindex="0"><table>'
        '<caption class="visually-hidden">{}</caption><thead><tr>'
        '<th scope="col">Time</th>{}</tr></thead><tbody>{}</tbody></table></div></details>'
    ).format(title, head, rows)


def bars(id: str, title: str, rows: Sequence[Row]) -> Markup:
    """A horizontal bar chart as a table with numbers. id: of the chart, unique on the page."""
    most = max((row.value for row in rows), default=0) or 1
    lines = Markup("").join(
        Markup(
            '<tr><th scope="row">{}</th><td class="number">{}</td><td class="bar-cell"><svg class="bar" viewBox="0 0'
            ' 100 8"'
            ' preserveAspectRatio="none" aria-hidden="true"><rect class="plot-{}" width="{:.2f}" height="8"'
            ' rx="1"/></svg></td></tr>'
        ).format(
            Markup('<a href="{}">{}</a>').format(row.url, row.label) if row.url else escape(row.label),
            f"{row.value:,}", row.tone, 100 * row.value / most,
        )
        for row in rows
    )  # fmt: skip
    return Markup(
        '<table class="bars" id="{}"><caption class="visually-hidden">{}</caption><tbody>{}</tbody></table>'
    ).format(id, title, lines)

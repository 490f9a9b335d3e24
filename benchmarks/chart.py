"""A bar chart as SVG: groups of bars on one axis.

It is logarithmic, so that what differs tenfold can be compared at all, unless the bars are parts of a whole.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

_WIDTH: Final = 900
_LEFT: Final = 190
_RIGHT: Final = 200
_TOP: Final = 44
_BAR: Final = 16
_GAP: Final = 30
_COLOURS: Final = ("#2563eb", "#9ca3af", "#d1a054", "#7c9a72")
_TEXT: Final = 'font-family="system-ui, sans-serif"'


@dataclass(frozen=True, slots=True)
class Group:
    """Bars that belong together: what each is of, how long it is, and what stands behind it.

    `inner` are lengths that are drawn darker inside of the bars, if there are any.
    """

    name: str
    bars: Sequence[tuple[str, float, str]]
    inner: Sequence[float] = field(default=())


@dataclass(frozen=True, slots=True)
class Bars:
    """A whole chart; with `parts` every bar is a part of 1."""

    title: str
    groups: Sequence[Group]
    parts: bool = False


def draw(chart: Bars) -> str:
    """Return the chart as an SVG document."""
    lengths = [value for group in chart.groups for _, value, _ in group.bars]
    lengths += [value for group in chart.groups for value in group.inner]
    scale = _Parts() if chart.parts else _Scale(min(lengths, default=1.0), max(lengths, default=1.0))
    title = escape(chart.title) + ("" if chart.parts else ", logarithmic")
    height = _TOP + sum(len(group.bars) * (_BAR + 2) + _GAP for group in chart.groups)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" {_TEXT} font-size="12">',
        f"<title>{escape(chart.title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="15" fill="#111827">{title}</text>',
        *_groups(chart.groups, scale),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Scale:
    """From values to widths; the shortest bar is still to be seen."""

    def __init__(self, least: float, most: float) -> None:
        self._least = math.log10(max(least, 1e-9)) - 0.3
        self._span = max(math.log10(max(most, 1e-9)) - self._least, 0.1)

    def width(self, value: float) -> float:
        return (_WIDTH - _LEFT - _RIGHT) * max(0.0, math.log10(max(value, 1e-9)) - self._least) / self._span


class _Parts:
    """From parts of 1 to widths."""

    def width(self, value: float) -> float:
        return (_WIDTH - _LEFT - _RIGHT) * value


def _groups(groups: Sequence[Group], scale: _Scale | _Parts) -> Iterator[str]:
    top = float(_TOP)
    for group in groups:
        yield f'<text x="12" y="{top + 12:.0f}" fill="#111827" font-weight="600">{escape(group.name)}</text>'
        top += _BAR + 2
        for index, (name, value, shown) in enumerate(group.bars):
            inner = group.inner[index] if group.inner else value
            yield from _bar(top, _COLOURS[index % len(_COLOURS)], scale.width(value), scale.width(inner))
            yield _label(_LEFT - 8, top, name, anchor="end")
            yield _label(_LEFT + scale.width(value) + 6, top, shown)
            top += _BAR + 2
        top += _GAP - _BAR - 2


def _bar(top: float, colour: str, width: float, inner: float) -> Iterator[str]:
    place = f'x="{_LEFT}" y="{top:.0f}" height="{_BAR - 2}"'
    yield f'<rect {place} width="{width:.1f}" fill="{colour}" fill-opacity="{1 if inner >= width else 0.45}"/>'
    if inner < width:
        yield f'<rect {place} width="{inner:.1f}" fill="{colour}"/>'


def _label(left: float, top: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{left:.0f}" y="{top + 12:.0f}" text-anchor="{anchor}" fill="#374151">{escape(text)}</text>'

"""Rows as lines of text, for people and for `awk` alike."""

from collections.abc import Iterable, Sequence

from hosting.cli.legible import exact


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows below their headings, a line each, the columns aligned; what is invisible in a cell is spelled out."""
    shown = [tuple(map(exact, row)) for row in (headings, *rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

"""How the command line prints: results on stdout, everything else on stderr, no control characters."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from tuning.analysis.words import THIN
from tuning.environments import ERROR_PREFIX


def show(text: str) -> None:
    """Print a result; line breaks stay, characters that steer a terminal do not."""
    typer.echo("\n".join(plain(line) for line in text.splitlines()))


def show_json(value: Any) -> None:
    """Print a result as JSON; NaN and infinity never occur in it."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False))


def note(text: str) -> None:
    """Tell the person something that is no result."""
    typer.echo(plain(text), err=True)


def report_fault(text: str) -> None:
    """Print one thing that went wrong, on one line."""
    typer.echo(ERROR_PREFIX + plain(" ".join(text.split())), err=True)


def plain(text: str) -> str:
    """Return text without control characters; the narrow space of numbers becomes an ordinary one."""
    return "".join(c if c.isprintable() else " " for c in text.replace(THIN, " "))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """Return rows in aligned columns; columns named in `right` are numbers."""
    cells = [list(headers), *[[plain(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headers))]
    lines = []
    for row in cells:
        padded = [
            cell.rjust(width) if header in right else cell.ljust(width)
            for cell, width, header in zip(row, widths, headers, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


@contextlib.contextmanager
def stdout_kept_clean() -> Iterator[None]:
    """Send to stderr whatever is printed meanwhile: packages say hello on stdout, C libraries included."""
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)

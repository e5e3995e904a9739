"""The guide's words: one Markdown file for each part, and what to do when tuning goes wrong."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

_FOLDER = Path(__file__).parent / "text"


@dataclass(frozen=True)
class Trouble:
    """One way in which tuning goes wrong."""

    title: str
    sign: str  # by which it is known
    remedy: str  # Markdown
    pages: tuple[str, ...]  # where it is done, by the names of their files


@cache
def part(name: str) -> str:
    """Return the Markdown of one part of the guide."""
    return (_FOLDER / f"{name}.md").read_text(encoding="utf-8")


@cache
def troubles() -> tuple[Trouble, ...]:
    """Return what may go wrong, the commonest first."""
    rows = yaml.safe_load((_FOLDER / "troubles.yaml").read_text(encoding="utf-8"))
    return tuple(Trouble(**{**row, "pages": tuple(row["pages"])}) for row in rows)

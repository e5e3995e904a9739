"""Which files a page may open: only what lies under a folder that whoever started the server named."""

import os
from pathlib import Path

VARIABLE = "EDGEWISE_STUDY_ROOTS"


class NotAllowed(PermissionError):
    """A file lies outside every folder that the server may open studies from."""


def study_roots() -> tuple[Path, ...]:
    """Return the folders of EDGEWISE_STUDY_ROOTS, absolute; without it the one the server was started in."""
    named = [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part.strip()]
    return tuple(dict.fromkeys(Path(part).expanduser().resolve() for part in named or ["."]))


def check_allowed(path: Path) -> Path:
    """Return the path without links when it lies under a root.

    Call it on every open: what was a file yesterday may be a link today.

    Raises:
        NotAllowed: it lies elsewhere, or leads there.
    """
    try:
        real = path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a name that no file can have
        real = None
    roots = study_roots()
    if real is None or not any(real.is_relative_to(root) for root in roots):
        raise NotAllowed(
            f"{str(path)[:300]} lies outside the folders that pages may open studies from: "
            f"{', '.join(map(str, roots))}. Move or copy the file there, or start the server with its "
            f"folder in {VARIABLE}."
        )
    return real


def find_under_roots(text: str) -> Path:
    """Return the file that a person means: an absolute path, or one relative to a root where it exists.

    Raises:
        NotAllowed: see `check_allowed`.
    """
    given = Path(os.path.expanduser(text.strip()))
    for root in study_roots():
        if os.path.exists(root / given):  # which says no to what can be no path at all
            return check_allowed(root / given)
    return check_allowed(study_roots()[0] / given)

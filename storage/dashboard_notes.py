"""Notes that optuna-dashboard keeps in a study's own file. They are read here, and never written."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from storage.remarks import clean_note

# A note is cut into numbered pieces; those on a trial name the trial's id in the storage, not its number.
_PIECE = re.compile(r"dashboard:(?:(?P<trial>\d{1,18}):)?note_str:(?P<piece>\d{1,6})")


def dashboard_notes(attributes: Mapping[str, Any]) -> dict[int | None, str]:
    """Return the notes in a study's system attributes by trial id; None is the note on the study.

    Source: optuna_dashboard/_note.py, which stores Markdown; here it is plain text.
    """
    pieces: dict[int | None, dict[int, str]] = defaultdict(dict)
    for key, value in attributes.items():
        match = _PIECE.fullmatch(key)
        if match and isinstance(value, str):
            trial = None if match["trial"] is None else int(match["trial"])
            pieces[trial][int(match["piece"])] = value
    notes = {trial: clean_note("".join(found[k] for k in sorted(found))) for trial, found in pieces.items()}
    return {trial: note for trial, note in notes.items() if note}

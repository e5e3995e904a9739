"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

StudyId = Annotated[str, typer.Argument(metavar="ID", help="The study's id, as `list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
RunsDir = Annotated[
    Path | None,
    typer.Option("--runs-dir", help="Folder of all studies [default: $EDGEWISE_RUNS_DIR, else ./runs]."),
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Stay until the study ends, with a progress line on stderr.")
]

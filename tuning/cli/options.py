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
Queue = Annotated[
    bool,
    typer.Option("--queue", help="Start it once enough cores are free of other studies; may be at once."),
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Stay until the study ends, with a progress line on stderr.")
]

"""The command that queues a configuration by hand in a study that exists."""

from typing import Annotated

import typer

from storage.paths import runs_root
from tuning.cli import output
from tuning.cli.exits import Exit, Refused
from tuning.cli.options import AsJson, RunsDir, StudyId
from tuning.cli.own import find_own
from tuning.queued_trials import queue_trials


def enqueue(
    study: StudyId,
    values: Annotated[
        list[str],
        typer.Option(
            "--set",
            help="A value, by the parameter's stored name or the argument that it sets: "
            "--set learning_rate=1e-3 --set n_steps=256. What is not set, the sampler chooses.",
        ),
    ],
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Start the study when it does not run; a queued one keeps its place."),
    ] = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Queue a configuration by hand: it runs next, also in a study that runs."""
    folder = find_own(runs_root(runs_dir), study)
    try:
        queued = queue_trials(folder, [_configuration(values)], resume=resume)
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        raise Refused(Exit.BAD_INPUT, str(error)) from None
    if as_json:
        record = {"trials": list(queued.trials), "n_trials": queued.n_trials, "running": queued.is_running}
        output.show_json({"id": folder.id, **record})
    else:
        output.show(queued.words)
        if not queued.is_running:
            output.note(f"`python -m tuning resume {folder.id}` runs it.")


def _configuration(values: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in values:
        name, sign, value = text.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise Refused(
                Exit.BAD_INPUT, f"--set wants name=value, such as learning_rate=1e-3: received {text[:80]!r}."
            )
        if name.strip() in found:
            raise Refused(Exit.BAD_INPUT, f"{name.strip()[:80]} is set twice. Keep one of the two.")
        found[name.strip()] = value.strip()
    return found

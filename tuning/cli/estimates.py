"""The command that says how long a study will take on this machine."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from storage.paths import runs_root
from tuning.analysis.words import count, whole
from tuning.calibrating import LIMIT_S, SLICE_S, CalibrationError, calibrate
from tuning.calibration import study_time
from tuning.calibration_words import basis_sentence, rough_range, slowdown_sentence, trial_sentence
from tuning.cli import output
from tuning.cli.exits import Exit, Refused
from tuning.cli.options import AsJson, RunsDir
from tuning.combinations import planned_trials
from tuning.estimate import study_seconds
from tuning.spec import load_spec


def estimate(
    spec_file: Annotated[Path, typer.Argument(metavar="SPEC.yaml", help="The request; see examples/.")],
    seconds: Annotated[
        float, typer.Option(min=0.05, max=60, help="Of training, for each configuration that is measured.")
    ] = SLICE_S,
    limit: Annotated[float, typer.Option(min=1, max=3600, help="Seconds for everything.")] = LIMIT_S,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Train a few configurations for some seconds, and say how long the study will take with 1 to n workers.

    Nothing is recorded but the measurement, which Launch then shows.
    """
    spec = load_spec(spec_file)
    rough = study_seconds(spec)
    output.note(f"Without measuring, roughly {rough_range(rough.low_s, rough.high_s)}.")
    try:
        found = calibrate(spec, runs_root(runs_dir), slice_s=seconds, limit_s=limit, say=output.note)
    except CalibrationError as error:
        raise Refused(Exit.FAILED, f"Nothing could be measured. {error}") from None
    told = study_time(spec, found)
    for failure in found.failures:
        output.note(f"note: {failure}")
    if as_json:
        output.show_json({"measured": found.model_dump(mode="json"), "study": asdict(told)})
        return
    rows = [
        [str(row.n_workers), rough_range(row.low_s, row.high_s), whole(row.steps_per_s)] for row in told.rows
    ]
    trials = f"{count(planned_trials(spec), 'trial')} of {whole(told.n_timesteps)} steps"
    output.show(f"{spec.algorithm} on {spec.env.id}: {trials}")
    output.show(output.table(["WORKERS", "STUDY", "STEPS/S"], rows, right=("WORKERS", "STEPS/S")))
    output.show(trial_sentence(told))
    if slowed := slowdown_sentence(told, found):
        output.show(slowed)
    output.show(basis_sentence(found, now=time.time()))

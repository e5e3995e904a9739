"""The real data behind the guide's pictures: what ships under `examples/`, read and never written."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from storage.foreign import open_source
from storage.journal import STUDY_NAME
from storage.paths import RunFolder, list_runs
from storage.trials import StudyData
from tuning.examples import FOLDER
from tuning.retraining_plan import load_plan, read_results

EXAMPLE = FOLDER / "pendulum-recorded"


@dataclass(frozen=True)
class BudgetTable:
    """Random configurations, each trained once to the end and evaluated on its way."""

    env: str
    algorithm: str
    n_eval_episodes: int  # an evaluation
    marks: tuple[int, ...]  # env steps, ascending; the last one is the whole training
    means: np.ndarray  # (n_configurations, n_marks), mean undiscounted return of each evaluation


@cache
def example_study() -> StudyData:
    """Return the trials of the recorded study."""
    return open_source(EXAMPLE / "journal.log").study(STUDY_NAME)


@cache
def example_returns() -> tuple[str, np.ndarray]:
    """Return the key of one re-evaluated run of the recorded study and its episodes' returns, undiscounted.

    Of the runs that worked it is the one with the median mean.
    """
    job = next(f for f in list_runs(RunFolder(EXAMPLE).jobs) if f.reevaluation.is_file())
    runs = [r for r in read_results(job, load_plan(job)).values() if r.mean is not None and r.returns]
    chosen = sorted(runs, key=lambda r: (r.mean, r.key))[len(runs) // 2]
    return chosen.key, np.array(chosen.returns)


@cache
def budget_table(path: Path = FOLDER / "budgets.json") -> BudgetTable:
    """Return what `python -m benchmarks.budget_sizes` recorded, without trials that ended early."""
    data = json.loads(path.read_text(encoding="utf-8"))
    marks = tuple(data["marks"])
    rows = [trial["means"] for trial in data["trials"] if len(trial["means"]) == len(marks)]
    return BudgetTable(data["env"], data["algorithm"], data["n_eval_episodes"], marks, np.array(rows))

"""Run a re-evaluation: the retraining engine, with a race among the candidates."""

from functools import partial

from storage.paths import RunFolder
from tuning.jobs import End
from tuning.race import spared
from tuning.reevaluation import Reevaluation
from tuning.retraining import run_plan
from tuning.retraining_plan import read_model


def run_reevaluation(folder: RunFolder) -> End:
    """Train what the job in `folder` still needs, as `run_plan` does.

    Raises:
        PlanError: its question or its plan cannot be read.
    """
    question = read_model(folder.reevaluation, Reevaluation)
    return run_plan(folder, spare=partial(spared, question), asked_for=question.run_keys)

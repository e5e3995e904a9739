"""What a re-evaluation trains: the best configurations and baselines again, all with the same fresh seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

from tuning.launch import Run
from tuning.reevaluation import Mode, Reevaluation
from tuning.retraining_plan import RetrainPlan


class ReevaluationError(ValueError):
    """A re-evaluation that makes no sense, or cannot be planned; says why and what to do."""


class NothingToReevaluate(ReevaluationError):
    """No trial of the study is there to be measured anew yet."""


@dataclass(frozen=True)
class PlannedReevaluation:
    """A re-evaluation, ready to run."""

    question: Reevaluation
    plan: RetrainPlan
    study: str  # its id
    study_seed: int
    notes: tuple[str, ...] = ()  # what was left out, and why; plain text

    @property
    def words(self) -> str:
        """What will be done, in plain text, with the notes."""
        raise NotImplementedError


def top_trials(run: Run, top: int = 5) -> list[int]:
    """Return the numbers of the study's best distinct trials, best first; empty while there are none."""
    raise NotImplementedError


def plan_reevaluation(
    run: Run,
    *,
    mode: Mode = "retrain",
    top: int = 5,
    trials: Sequence[int] | None = None,
    defaults: bool = True,
    tuned: bool = True,
    n_seeds: int = 10,
    n_episodes: int = 50,
    n_timesteps: int | None = None,
    racing: bool = True,
) -> PlannedReevaluation:
    """Plan a re-evaluation of a study of ours, or of one that a person mapped (`tuning.mapping`).

    Args:
        run: the study.
        mode: "retrain" trains each candidate again; "weights" plays more episodes with the kept policies.
        top: how many of the best distinct trials are candidates.
        trials: numbers of the candidates, picked by hand; `top` has no say then.
        defaults: SB3's own defaults are a candidate too.
        tuned: so are values that others tuned for this environment, where some are known.
        n_seeds: training runs of each candidate.
        n_episodes: that each run, or each kept policy, is judged by.
        n_timesteps: of a training run; by default the study's own.
        racing: candidates that cannot win any more are not trained further.

    Raises:
        ReevaluationError: it makes no sense.
        NothingToReevaluate: there is nothing to measure anew yet.
    """
    raise NotImplementedError


def reevaluation_seconds(run: Run, planned: PlannedReevaluation) -> float:
    """Return roughly how long it takes if racing gives up nothing."""
    raise NotImplementedError

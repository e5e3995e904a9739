"""Whose code trained: what a trial records of it, and how that is said."""

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from storage.trials import IMPORTED_FROM, TRAINER
from tuning.trainers import TrainerUsed, read_trainer, study_trainers, trained_by, trainer_used

FAST = TrainerUsed("fast")
GSDE = TrainerUsed("sb3", "gSDE")


def trial(used=None, *, state=TrialState.COMPLETE, **attributes):
    if used is not None:
        attributes[TRAINER] = used.record()
    ended = state in (TrialState.COMPLETE, TrialState.PRUNED)
    return create_trial(
        state=state,
        value=1.0 if ended else None,
        params={"x": 0.5},
        distributions={"x": optuna.distributions.FloatDistribution(0, 1)},
        user_attrs=attributes,
    )


@pytest.mark.parametrize("used", [FAST, GSDE, TrainerUsed("sb3")])
def test_a_record_is_plain_and_reads_back(used):
    assert read_trainer(used.record()) == used
    assert trainer_used(trial(used)) == used


@pytest.mark.parametrize("record", [None, "fast", {}, {"name": "other"}, {"name": None}, ["fast"], 3])
def test_what_somebody_else_wrote_is_no_trainer(record):
    assert read_trainer(record) is None


def test_a_reason_that_is_no_text_is_left_out():
    assert read_trainer({"name": "sb3", "reason": 7}) == TrainerUsed("sb3")


def test_a_fallback_shows_its_reason():
    assert FAST.words == "fast kernels"
    assert GSDE.words == "Stable-Baselines3 (gSDE)"
    assert TrainerUsed("sb3").words == "Stable-Baselines3"


@pytest.mark.parametrize(
    ("used", "said"),
    [
        ([], ""),
        ([None, None], ""),
        ([FAST, FAST], "fast kernels"),
        ([GSDE], "Stable-Baselines3 (gSDE)"),
        ([GSDE, FAST, FAST], "fast kernels: 2 runs; Stable-Baselines3 (gSDE): 1 run"),
        ([None, FAST], "fast kernels: 1 run; not recorded: 1 run"),
    ],
)
def test_several_are_counted_the_most_frequent_first(used, said):
    assert trained_by(used, "run") == said


def test_a_study_speaks_of_its_own_trials_that_were_trained():
    trials = [
        trial(FAST),
        trial(FAST, state=TrialState.RUNNING),
        trial(state=TrialState.RUNNING),  # its model is not built yet
        trial(state=TrialState.FAIL),
        trial(GSDE, **{IMPORTED_FROM: "other-0000"}),
    ]
    assert study_trainers(trials) == "fast kernels"
    assert study_trainers([*trials, trial()]) == "fast kernels: 2 trials; not recorded: 1 trial"

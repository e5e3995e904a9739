"""Scores by rank: what pruned, failed and tied trials are worth."""

import numpy as np
import pytest
from optuna.trial import TrialState

from storage.trials import DIVERGED
from tuning.analysis.saturation_scores import score_trials


def test_scores_are_normal_quantiles_of_the_order_alone(trial):
    trials = [trial(i, v) for i, v in enumerate((3.0, 1.0, 2.0))]

    scored = score_trials(trials, maximize=True)

    assert scored.scores == pytest.approx([0.9674, -0.9674, 0.0], abs=1e-4)
    assert scored.best == (0, 2, 1)
    assert score_trials(trials, maximize=False).best == (1, 2, 0)


def test_ties_share_a_score_and_keep_their_order(trial):
    scored = score_trials([trial(i, v) for i, v in enumerate((1.0, 2.0, 2.0))], maximize=True)

    assert scored.scores[1] == scored.scores[2]
    assert scored.best == (1, 2, 0)


@pytest.mark.parametrize("maximize", [True, False])
def test_a_pruned_trial_ranks_by_its_peers_at_the_same_step_and_never_in_the_better_half(trial, maximize):
    sign = 1.0 if maximize else -1.0
    complete = [trial(i, sign * 10.0 * i, reports={5: sign * float(i)}) for i in range(10)]
    good = trial(10, reports={5: sign * 100.0}, state=TrialState.PRUNED)
    poor = trial(11, reports={5: sign * 2.5}, state=TrialState.PRUNED)

    scores = score_trials([*complete, good, poor], maximize=maximize).scores

    assert np.sum(scores[:10] > scores[10]) == 5
    assert np.sum(scores[:10] < scores[11]) == 3


def test_a_pruned_trial_without_peers_ranks_low(trial):
    complete = [trial(i, float(i)) for i in range(8)]

    scores = score_trials(
        [*complete, trial(8, reports={3: 1e9}, state=TrialState.PRUNED)], maximize=True
    ).scores

    assert np.sum(scores[:8] < scores[8]) == 2


def test_what_broke_by_itself_is_infeasible_and_not_ranked(trial):
    trials = [
        trial(0, 1.0),
        trial(1, attrs={"failure": {"kind": "error", "message": "boom"}}),
        trial(2, attrs={"failure": {"kind": "stopped", "message": "stopped"}}),
        trial(3, reports={1: 2.0}, state=TrialState.PRUNED, attrs={DIVERGED: "NaN"}),
        trial(4, float("inf")),
    ]

    scored = score_trials(trials, maximize=True)

    assert [t.number for t in scored.ranked] == [0]
    assert [t.number for t in scored.infeasible] == [1, 3, 4]


def test_nothing_is_ranked_where_nothing_ended(trial):
    scored = score_trials([], maximize=True)

    assert (len(scored.ranked), len(scored.scores), scored.best, scored.infeasible) == (0, 0, (), ())

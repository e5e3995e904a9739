"""What the speed benchmark queues, how it takes turns, and what it makes of the times; nothing is trained."""

import optuna
import pytest

from benchmarks import trials_per_hour
from benchmarks.searches import faults
from benchmarks.trials_per_hour import Timing, configurations, in_turn, spec_of, summary


@pytest.mark.parametrize("name", ["starter", "rl-zoo"])
def test_a_list_is_the_same_every_time_and_a_longer_one_begins_with_it(name):
    drawn = configurations(name, 6)

    assert drawn == configurations(name, 6) == configurations(name, 12)[:6]
    assert len({tuple(c.items()) for c in drawn}) == 6
    assert trials_per_hour.N_CONFIGURATIONS[name] >= 12


@pytest.mark.parametrize("name", ["starter", "rl-zoo"])
def test_what_is_queued_lies_in_the_space_of_the_study(name):
    spec = spec_of(name, n=12, seed=0, trainer="auto")

    for configuration in configurations(name, 12):
        assert set(configuration) == {p.name for p in spec.search_space}
        assert all(spec.parameter(key).contains(value) for key, value in configuration.items())


def test_every_round_has_all_arms_and_begins_with_another_one():
    assert list(in_turn(["a", "b", "c"], 2)) == [(0, "a"), (0, "b"), (0, "c"), (1, "b"), (1, "c"), (1, "a")]


def timing(arm: str, number: int, wall_s: float) -> Timing:
    return Timing(
        list_name="starter",
        round=number,
        arm=arm,
        wall_s=wall_s,
        start_up_s=2.0,
        tail_s=0.5,
        n_complete=10,
        n_evaluations=20,
        faults=(),
        trainers={},
        values=(-1000.0, -200.0),
        trial_s=(1.0,),
        load_before=0.1,
    )


def test_ratios_are_of_medians_and_their_range_is_of_rounds():
    slow = [timing("slow", k, wall_s) for k, wall_s in enumerate([100.0, 120.0, 180.0])]
    fast = [timing("fast", k, wall_s) for k, wall_s in enumerate([10.0, 30.0, 20.0])]

    rows = {row["arm"]: row for row in summary([*slow, *fast])}

    assert rows["slow"]["trials_an_hour"] == 300
    assert rows["fast"]["trials_an_hour"] == 1800
    assert rows["fast"]["times"] == {"slow": [6.0, 4.0, 10.0]}
    assert rows["fast"]["mean_return"] == -600


def queued_and_trials() -> tuple[list, list]:
    spec = spec_of("starter", n=3, seed=0, trainer="auto")
    queued = configurations("starter", 3)
    study = optuna.create_study()
    for configuration in queued:
        study.enqueue_trial(dict(configuration))
    for _ in queued:
        trial = study.ask({p.name: p.distribution() for p in spec.search_space})
        study.tell(trial, 1.0)
    return queued, study.trials


def test_trials_as_queued_have_no_fault():
    queued, trials = queued_and_trials()

    assert faults(trials, spec_of("starter", n=3, seed=0, trainer="auto"), queued) == []


def test_another_value_another_range_an_early_end_and_a_missing_trial_are_faults():
    spec = spec_of("starter", n=3, seed=0, trainer="auto")
    queued, trials = queued_and_trials()
    trials[0].params = {**trials[0].params, "gamma": 0.98}
    ranges = {**trials[1].distributions, "gamma": optuna.distributions.FloatDistribution(0.9, 0.9999)}
    trials[1].distributions = ranges
    trials[2].state = optuna.trial.TrialState.PRUNED

    found = faults(trials, spec, [*queued, queued[0]])

    assert len(found) == 4
    assert found[0] == "3 trials instead of 4"
    assert "trained" in found[1]
    assert "was sampled from" in found[2]
    assert found[3] == "trial 2 is PRUNED"

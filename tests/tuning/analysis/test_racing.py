"""Who cannot win any more: a pure function of the results."""

import math
import random

import numpy as np
import pytest

from tuning.analysis.racing import dropped
from tuning.reevaluation import Candidate, Reevaluation


def question(n_trials=3, *, n_seeds=10, defaults=True, tuned=False, **others):
    kinds = [("trial", n) for n in range(n_trials)]
    kinds += [("defaults", None)] * defaults + [("tuned", None)] * tuned
    candidates = [
        Candidate(
            key=f"{kind} {n}" if kind == "trial" else kind,
            kind=kind,
            name=f"{kind} {n}",
            trial=n,
            resolved={},
            n_train_envs=1,
        )
        for kind, n in kinds
    ]
    asked = {
        "mode": "retrain",
        "candidates": candidates,
        "n_seeds": n_seeds,
        "n_episodes": 5,
        "n_timesteps": 100,
        "study_timesteps": 100,
        "maximize": True,
        "racing": True,
    }
    return Reevaluation(**{**asked, **others})


def runs(asked, means, *, spread=1.0, n=None, seed=1):
    generator = np.random.default_rng(seed)
    return {
        c.key: generator.normal(mean, spread, n or asked.n_seeds).tolist()
        for c, mean in zip(asked.candidates, means, strict=True)
    }


def test_the_hopeless_go_after_three_seeds_and_the_near_ones_stay():
    asked = question()
    assert dropped(asked, runs(asked, [0.0, -0.2, -30.0, -0.1])) == {"trial 2": 3}


def test_two_seeds_say_nothing():
    asked = question(n_seeds=3)
    assert dropped(asked, runs(asked, [0.0, 0.0, -1000.0, 0.0])) == {}


def test_baselines_stay_for_as_long_as_their_test_needs():
    asked = question(tuned=True)
    found = dropped(asked, runs(asked, [0.0, 0.0, 0.0, -50.0, -50.0]))
    assert found == {"defaults": 8, "tuned": 6}  # four comparisons: 2/2^8 <= 0.05/4


def test_it_looks_only_when_all_that_remain_are_there():
    asked = question()
    found = runs(asked, [0.0, 0.1, -30.0, 0.2])
    assert dropped(asked, {**found, "trial 1": found["trial 1"][:2]}) == {}
    assert dropped(asked, {**found, "trial 1": [*found["trial 1"][:2], None, *found["trial 1"][3:]]}) == {}
    assert dropped(asked, {**found, "trial 2": found["trial 2"][:3]}) == {"trial 2": 3}
    assert dropped(asked, {}) == {}


def test_later_results_never_change_what_was_said():
    asked = question(5)
    for seed in range(20):
        found = runs(asked, [0.0, 0.5, -1.5, -3.0, 1.0, -4.0], seed=seed)
        found["trial 1"][5] = math.nan
        found["trial 4"][7] = -900.0
        final = dropped(asked, found)
        for n in range(11):
            early = dropped(asked, {key: row[:n] for key, row in found.items()})
            assert early == {key: after for key, after in final.items() if after <= n}


def test_what_was_given_up_needs_no_further_runs():
    asked = question(5)
    found = runs(asked, [0.0, 0.5, -8.0, -3.0, 1.0, -4.0])
    final = dropped(asked, found)
    assert final
    only = {key: row[: final.get(key, 10)] for key, row in found.items()}
    assert dropped(asked, only) == final
    longer = {
        key: [*row[: final.get(key, 10)], *[1e6] * (10 - final.get(key, 10))] for key, row in found.items()
    }
    assert dropped(asked, longer) == final


def test_the_order_of_candidates_and_of_keys_does_not_matter():
    asked = question(6)
    found = runs(asked, [0.0, 1.0, -9.0, -3.0, 0.5, -2.0, -40.0], seed=3)
    turned = list(asked.candidates)
    random.Random(1).shuffle(turned)
    other = asked.model_copy(update={"candidates": tuple(turned)})
    assert dropped(other, dict(reversed(found.items()))) == dropped(asked, found)


def test_minimising_is_maximising_the_negative():
    asked, less = question(worst_seen=-50.0), question(maximize=False, worst_seen=50.0)
    found = runs(asked, [0.0, -3.0, -30.0, -6.0])
    found["trial 1"][1] = math.nan
    negated = {key: [-x for x in row] for key, row in found.items()}
    assert dropped(less, negated) == dropped(asked, found) != {}


def test_shift_and_scale_do_not_matter():
    asked = question()
    found = runs(asked, [0.0, -3.0, -30.0, -6.0])
    moved = {key: [1e3 * x - 1e6 for x in row] for key, row in found.items()}
    assert dropped(asked, moved) == dropped(asked, found) != {}


def test_broken_runs_count_as_the_worst_level_seen():
    asked = question(worst_seen=-1000.0)
    found = runs(asked, [0.0, 0.0, 0.0, 0.0])
    found["trial 2"] = [math.nan] * 10
    assert dropped(asked, found) == {"trial 2": 3}
    found["trial 2"] = [0.5, math.nan, 0.2, *found["trial 1"][3:]]  # one of three may be chance
    assert dropped(asked, found) == {}


def test_nothing_but_broken_runs_says_nothing():
    asked = question()
    assert dropped(asked, {c.key: [math.nan] * 10 for c in asked.candidates}) == {}


@pytest.mark.parametrize("others", [{"racing": False}, {"mode": "weights"}])
def test_who_does_not_race_is_never_given_up(others):
    asked = question(**others)
    assert dropped(asked, runs(asked, [0.0, 0.0, -900.0, -900.0])) == {}


def test_equal_runs_are_no_reason():
    asked = question()
    assert dropped(asked, {c.key: [500.0] * 10 for c in asked.candidates}) == {}


def test_one_always_remains():
    asked = question(1, defaults=False)
    assert dropped(asked, {"trial 0": [1.0] * 10}) == {}
    asked = question(19)
    for seed in range(5):
        found = runs(asked, np.linspace(0, 60, 20), seed=seed)
        assert len(dropped(asked, found)) < 20

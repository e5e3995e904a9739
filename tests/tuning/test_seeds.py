"""Streams of random numbers that never meet."""

import itertools

import pytest

from tuning import seeds
from tuning.reevaluation import MOST_SEEDS
from tuning.reevaluation_plan import MOST_EPISODES
from tuning.seeds import eval_seed, further_seeds, retraining_seeds, sampler_seed, train_seed

STUDY_SEEDS = [0, 1, 2, 12345, 2**32 - 1]
MOST_ENVS = 999
SEEDS_OF_ZERO = (2968811710, 3730, 8543)  # sampler, training, evaluation
SEEDS_OF_OLD = (1671856000, 1671857000)  # training and evaluation


@pytest.mark.parametrize("seed", STUDY_SEEDS)
def test_training_and_evaluation_never_share_a_seed_whatever_the_rank(seed):
    train = {train_seed(seed, task) for task in range(20_000)}
    assert min(train) >= 0
    assert max(train) + MOST_ENVS - 1 < 8_000 <= eval_seed(seed)
    assert eval_seed(seed) + MOST_ENVS - 1 < 10_000


def test_every_task_samples_and_trains_differently():
    assert len({sampler_seed(0, task) for task in range(2_000)}) == 2_000
    assert len({train_seed(0, task) for task in range(100)}) > 95
    assert all(sampler_seed(0, task) != train_seed(0, task) for task in range(100))


def test_study_seeds_give_other_streams():
    assert len({sampler_seed(seed, 0) for seed in range(1_000)}) == 1_000
    assert len({eval_seed(seed) for seed in range(1_000)}) > 500


def test_seeds_are_plain_integers_that_never_change():
    assert [type(seed) for seed in (sampler_seed(0, 0), train_seed(0, 0), eval_seed(0))] == [int] * 3
    assert sampler_seed(7, 3) == sampler_seed(7, 3) < 2**32
    # Recorded studies are reproduced from these: a change of NumPy or of the formula must be noticed.
    assert (sampler_seed(0, 0), train_seed(0, 0), eval_seed(0)) == SEEDS_OF_ZERO


@pytest.mark.parametrize("seed", STUDY_SEEDS)
def test_retraining_seeds_are_fresh_and_spaced_whatever_the_rank(seed):
    used = [start for pair in retraining_seeds(seed, 0, 30) for start in pair]
    assert min(used) >= 10_000
    assert max(used) + MOST_ENVS < 2**32
    ordered = sorted(used)
    assert all(after - before >= MOST_ENVS for before, after in itertools.pairwise(ordered))


@pytest.mark.parametrize("study", ["", "old-1a2b"])
def test_no_two_draws_of_a_study_share_a_seed_however_far_they_are_extended(study):
    assert retraining_seeds(7, 0, 5, study=study) == retraining_seeds(7, 0, 9, study=study)[:5]
    draws = [set(retraining_seeds(7, draw, 100, study=study)) for draw in (*range(300), 9_999)]
    assert len(set.union(*draws)) == 301 * 100
    assert not set(retraining_seeds(8, 0, 20, study=study)) & draws[0]


def test_draws_keep_apart_where_the_slots_begin_again(monkeypatch):
    monkeypatch.setattr(seeds, "_RETRAIN_SLOTS", 1_000)
    draws = [set(retraining_seeds(7, draw, 100)) for draw in range(10)]
    assert len(set.union(*draws)) == 1_000


def test_the_episodes_of_a_kept_policy_stay_in_its_draw():
    (first, evaluation), (following, _) = retraining_seeds(7, 0, 1)[0], retraining_seeds(7, 1, 1)[0]
    assert first < evaluation
    assert evaluation + MOST_EPISODES <= following
    assert MOST_SEEDS <= seeds.DRAW_SLOTS
    with pytest.raises(AssertionError, match="at most 100 pairs"):
        retraining_seeds(7, 0, 101)


def test_further_seeds_are_those_of_a_longer_draw():
    longer = retraining_seeds(7, 3, 12, study="old-1a2b")
    assert further_seeds(longer[4], 7) == longer[5:]


def test_studies_that_share_a_seed_draw_other_retraining_seeds():
    parent, child = (retraining_seeds(7, 0, 20, study=study) for study in ("old-1a2b", "old-wide-3c4d"))
    assert not set(parent) & set(child)
    assert min(start for pair in parent + child for start in pair) >= 10_000
    assert {(start - 10_000) % 1_000 for pair in parent + child for start in pair} == {0}
    assert parent[0] == SEEDS_OF_OLD  # in any process: no hash that is salted

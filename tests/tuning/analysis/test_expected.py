"""What to expect of a winner that was chosen for its luck."""

import itertools

import numpy as np
import pytest

from tuning.analysis.expected import expected_score, held_out_mean


def test_held_out_by_hand():
    scores = np.array([[1.0, 2.0, 6.0], [2.0, 3.0, 1.0]])
    # without seed 0 it is 4 against 2, so 1; without seed 1 3.5 against 1.5, so 2; without seed 2 the other
    assert held_out_mean(scores) == pytest.approx((1 + 2 + 1) / 3)


def test_a_third_of_the_seeds_is_left_out():
    scores = np.random.default_rng(3).normal(size=(3, 7))
    by_hand = []
    for out in itertools.combinations(range(7), 2):
        inside = [s for s in range(7) if s not in out]
        by_hand.append(scores[scores[:, inside].mean(axis=1).argmax(), list(out)].mean())
    assert held_out_mean(scores) == pytest.approx(np.mean(by_hand))


@pytest.mark.parametrize("n", [15, 300])
def test_many_seeds_are_split_the_same_way_each_time(n):
    scores = np.random.default_rng(3).normal(size=(3, n))
    assert held_out_mean(scores) == held_out_mean(scores)
    assert abs(held_out_mean(scores) - scores.mean(axis=1).max()) < 0.5


def test_two_that_are_nearly_equal_lose_little():
    random = np.random.default_rng(5)
    x = random.normal(size=(2, 50))
    scores = 20 * (x - x.mean(axis=1, keepdims=True))
    assert expected_score(scores + np.array([[0.0], [0.1]]), 1) > -3  # 20 / 50 ** 0.5 is one standard error


def test_a_winner_that_nobody_comes_near_keeps_its_mean():
    scores = np.array([[10.0, 11.0, 12.0], [0.0, 1.0, 2.0]])
    assert expected_score(scores, 0) == 11.0
    assert expected_score(scores[:1], 0) == 11.0


def test_one_seed_is_all_there_is():
    assert held_out_mean(np.array([[1.0], [2.0]])) is None
    assert expected_score(np.array([[1.0], [2.0]]), 1) == 2.0


def test_it_is_never_above_the_winners_own_mean():
    for scores in np.random.default_rng(2).normal(size=(50, 5, 6)):
        winner = int(scores.mean(axis=1).argmax())
        assert expected_score(scores, winner) <= scores[winner].mean() + 1e-12


def test_a_rivals_disaster_is_not_the_winners():
    scores = np.random.default_rng(4).normal(size=(3, 10))
    scores[1] += 1.0
    scores[1, 4] = -1500.0
    winner = int(scores.mean(axis=1).argmax())
    assert held_out_mean(scores) < -100
    assert expected_score(scores, winner) > -3


STEADY = np.array([-165.0, -160.0, -158.0, -156.0, -155.0, -153.0, -152.0, -151.0, -150.0, -140.0])


def once_broken(seed, mean=-150.0, level=-1600.0):
    """Runs about as good as the steady ones, but for one that broke."""
    runs = mean + 5 * np.random.default_rng(seed).normal(size=10)
    runs[seed % 10] = level
    return runs


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("n_rivals", [1, 2])
def test_broken_runs_of_one_or_two_rivals_are_not_the_winners(seed, n_rivals):
    rivals = [once_broken(seed + 3 * i) for i in range(n_rivals)]
    scores = np.array([np.random.default_rng(seed).permutation(STEADY), *rivals])
    assert held_out_mean(scores) < -170, "what makes it hard"
    assert STEADY.min() <= expected_score(scores, 0) <= STEADY.mean()


def test_it_is_never_below_the_winners_worst_run():
    random = np.random.default_rng(8)
    for _ in range(300):
        k, n = random.integers(2, 7), random.integers(2, 12)
        scores = random.normal(size=(k, n)) - 8 * (random.random((k, n)) < 0.1)
        for winner in range(k):
            number = expected_score(scores, winner)
            assert scores[winner].min() - 1e-9 <= number <= scores[winner].mean() + 1e-9


def test_a_winner_that_collapsed_once_itself_stays_near_what_it_gives():
    scores = np.array([once_broken(3, mean=-100.0), once_broken(4, mean=-101.0)] * 2)
    winner = int(scores.mean(axis=1).argmax())
    interval = 3.2498 * scores[winner].std(ddof=1) / 10**0.5
    assert expected_score(scores, winner) >= scores[winner].mean() - interval - 0.1


def test_equal_runs_are_what_to_expect_whatever_the_rivals_did():
    scores = np.array([[-150.0] * 10, once_broken(5, mean=-140.0), once_broken(6, mean=-140.0)])
    assert expected_score(scores, 0) == -150.0


def test_a_cheaper_one_is_not_expected_to_beat_the_best():
    scores = np.array([[1.0, 5.0, 3.0, 3.2], [2.2, 2.8, 3.1, 3.0]])
    assert expected_score(scores, 0) < scores[1].mean()
    assert expected_score(scores, 1) == expected_score(scores, 0)
    scores[1, 0] = 2.9
    assert expected_score(scores, 1) == 2.8 > expected_score(scores, 0), "but not below its own worst run"


def test_it_moves_and_stretches_with_the_scores():
    scores = np.random.default_rng(6).normal(size=(4, 7))
    winner = int(scores.mean(axis=1).argmax())
    one, other = expected_score(scores, winner), expected_score(50 * scores - 900, winner)
    assert other == pytest.approx(50 * one - 900)


def test_it_is_free_of_the_luck_of_being_chosen():
    scores = np.random.default_rng(7).normal(size=(2000, 6, 8))
    own = scores.mean(axis=2).max(axis=1).mean()
    honest = np.mean([expected_score(x, int(x.mean(axis=1).argmax())) for x in scores])
    assert own > 0.4  # the truth is 0
    assert abs(honest) < 0.04

"""Which candidate is best: hand-made runs, and what must not change the answer."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from tuning.analysis.comparison import (
    cannot_be_told,
    fewest_pairs,
    holm,
    p_best,
    paired_p_value,
    probability_of_improvement,
    seeds_to_tell,
)

NOISE = np.random.default_rng(5).normal(size=(4, 8))
SCORES = NOISE + np.array([[0.0], [0.4], [-6.0], [0.1]])


@pytest.mark.parametrize(("comparisons", "pairs"), [(0, 6), (1, 6), (2, 7), (5, 8), (6, 8), (7, 9), (19, 10)])
def test_from_how_many_pairs_a_test_can_be_significant(comparisons, pairs):
    assert fewest_pairs(comparisons) == pairs
    assert 2 / 2**pairs <= 0.05 / max(comparisons, 1)


def test_all_pairs_one_way_give_the_smallest_p_value():
    ours = [1.0, 2.1, 3.3, 4.6, 5.0, 6.2]
    assert paired_p_value(ours, [0.0] * 6) == 2 / 2**6
    assert paired_p_value([0.0] * 6, ours) == 2 / 2**6


def test_it_is_the_exact_signed_rank_test():
    d = np.array([1.5, -0.3, 2.2, 0.9, -1.1, 3.0, 0.4])  # negative ranks 1 and 4: W = 5 of 28
    by_hand = sum(
        min(w, 28 - w) <= 5 for signs in range(2**7) for w in [sum(r + 1 for r in range(7) if signs >> r & 1)]
    )
    assert paired_p_value(d, np.zeros(7)) == pytest.approx(by_hand / 2**7)


def test_equal_pairs_say_nothing():
    assert paired_p_value([1.0, 2.0], [1.0, 2.0]) == 1.0
    some_ties = paired_p_value(
        [1.0, 2.0, 1.0, 4.0, 5.0, 6.0, 7.0, 8.0], [1.0, 1.0, 0.0, 2.0, 1.0, 1.0, 1.0, 1.0]
    )
    assert 0 < some_ties < 0.05


def test_holm_by_hand():
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03}, n_comparisons=3)
    assert found == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({"a": 0.01}, n_comparisons=4) == {"a": 0.04}  # those that could not be tested count too
    assert holm({"a": 0.9, "b": 0.8}, n_comparisons=2) == {"a": 1.0, "b": 1.0}
    assert holm({}, n_comparisons=3) == {}


def test_probability_of_improvement_of_many_episodes_is_exact_and_small():
    random = np.random.default_rng(9)
    a, b = random.integers(0, 50, 700).astype(float), random.integers(10, 60, 300).astype(float)
    pairs = np.mean((a[:, None] > b) + 0.5 * (a[:, None] == b))
    assert probability_of_improvement(a, b) == pytest.approx(pairs, abs=1e-15)
    assert probability_of_improvement(a, b) + probability_of_improvement(b, a) == 1
    many = random.normal(size=10_000)
    tracemalloc.start()
    probability_of_improvement(many, many)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6, "all pairs at once would take a gigabyte"


def test_probability_of_improvement_by_hand():
    assert probability_of_improvement([3.0, 1.0], [2.0, 1.0]) == (1 + 1 + 0 + 0.5) / 4
    assert probability_of_improvement([], [1.0]) is None
    u = stats.mannwhitneyu(SCORES[0], SCORES[1]).statistic
    assert probability_of_improvement(SCORES[0], SCORES[1]) == pytest.approx(u / 64)


def test_only_the_bad_one_can_be_told_apart():
    assert cannot_be_told(SCORES).tolist() == [True, True, False, True]


def test_one_run_each_tells_nothing_apart():
    assert cannot_be_told(np.array([[0.0], [100.0]])).all()


def test_a_candidate_without_runs_is_not_in_the_tie_set():
    assert cannot_be_told(np.array([[1.0, 2.0, 3.0], [np.nan] * 3])).tolist() == [True, False]


def test_a_single_candidate_is_the_best():
    assert cannot_be_told(np.array([[1.0, 2.0]])).tolist() == [True]
    assert p_best(np.array([[1.0, 2.0]])).tolist() == [1.0]


def test_runs_without_any_spread():
    assert cannot_be_told(np.full((3, 5), 500.0)).all()
    assert cannot_be_told(np.array([[500.0] * 5, [499.0] * 5])).tolist() == [True, False]
    assert p_best(np.full((3, 5), 500.0)).tolist() == pytest.approx([1 / 3] * 3)


def test_enormous_returns_are_compared_all_the_same():
    assert cannot_be_told(1e300 * SCORES).tolist() == [True, True, False, True]
    assert p_best(1e300 * SCORES) == pytest.approx(p_best(SCORES))


def test_order_shift_and_scale_do_not_matter():
    told, likely = cannot_be_told(SCORES), p_best(SCORES)
    turned = [2, 0, 3, 1]
    assert (cannot_be_told(SCORES[turned]) == told[turned]).all()
    assert p_best(SCORES[turned]) == pytest.approx(likely[turned], abs=0.03)  # the draws are others
    assert (cannot_be_told(1e4 * SCORES - 3e5) == told).all()
    assert p_best(1e4 * SCORES - 3e5) == pytest.approx(likely)
    assert (cannot_be_told(SCORES[:, ::-1]) == told).all()
    assert (p_best(SCORES) == likely).all()


def test_what_all_owe_to_a_seed_does_not_count():
    common = 40 * np.random.default_rng(1).normal(size=8)
    lead = NOISE + np.array([[0.0], [4.0], [0.0], [0.0]])
    assert cannot_be_told(lead + common).tolist() == [False, True, False, False]
    apart = np.array([np.roll(row, 2 * i) for i, row in enumerate(lead + common)])  # the same runs, unpaired
    assert cannot_be_told(apart).all()
    assert p_best(lead + common)[1] > 0.95 > p_best(apart)[1]


def test_the_probabilities_add_up_and_follow_the_means():
    found = p_best(SCORES)
    assert found.sum() == pytest.approx(1)
    assert found.argmax() == SCORES.mean(axis=1).argmax()
    assert found[2] < 0.01


def test_one_run_has_no_probability():
    found = p_best(np.array([[1.0, np.nan], [1.0, 2.0], [0.0, 3.0]]))
    assert np.isnan(found[0])
    assert found[1:].sum() == pytest.approx(1)
    assert np.isnan(p_best(np.array([[1.0], [2.0]]))).all()


def test_gaps_leave_the_seeds_that_both_have():
    gaps = SCORES.copy()
    gaps[1, 6:] = np.nan
    assert cannot_be_told(gaps).tolist() == [True, True, False, True]


def test_closer_means_take_more_seeds():
    near, far = SCORES[[0, 3]], SCORES[[0, 2]]
    assert seeds_to_tell(far, n_rivals=1) < 8 < seeds_to_tell(near, n_rivals=1)
    assert seeds_to_tell(np.full((2, 4), 1.0), n_rivals=1) is None
    assert seeds_to_tell(np.array([[1.0], [2.0]]), n_rivals=1) is None


def test_it_rarely_leaves_out_the_best_and_tells_a_clear_one():
    random = np.random.default_rng(12)
    equal = random.normal(size=(2000, 6, 10))
    assert cannot_be_told(equal)[:, 0].mean() > 0.94
    lead = equal + np.array([2.0, 0, 0, 0, 0, 0])[:, None]
    told = cannot_be_told(lead)
    assert told[:, 0].mean() > 0.99
    assert told.sum(axis=1).mean() < 2

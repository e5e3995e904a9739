"""Paired differences against numbers worked out elsewhere."""

import numpy as np
import pytest
from scipy import stats

from tuning.analysis.paired import paired_difference

# Student's own data (1908): hours of sleep gained with two drugs by ten patients. The 95 % interval of the
# paired difference is printed in R's manual for `sleep`: 0.70 to 2.46, mean 1.58.
DRUG_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
DRUG_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_known_numbers():
    found = paired_difference(list(zip(DRUG_1, DRUG_2, strict=True)), maximize=True, level=0.95)
    assert (found.n, found.wins) == (10, 9)
    assert found.mean == pytest.approx(1.58)
    assert (found.low, found.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
    assert found.direction == "better"


def test_it_agrees_with_the_paired_test():
    rng = np.random.default_rng(1)
    pairs = [tuple(row) for row in rng.normal([0.0, 0.5], 1.0, (9, 2))]
    found = paired_difference(pairs, maximize=True, level=0.9)
    theirs = stats.ttest_rel([b for _, b in pairs], [a for a, _ in pairs]).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize("maximize", [True, False])
def test_the_direction_decides_what_is_better(maximize):
    found = paired_difference([(1, 3), (2, 5), (3, 5), (4, 3.5)], maximize=maximize, level=0.5)
    assert found.mean == 1.625
    assert found.gain == (1.625 if maximize else -1.625)
    assert found.wins == (3 if maximize else 1)
    assert found.direction == ("better" if maximize else "worse")


def test_what_the_pairs_share_does_not_count():
    close = [(0, 1.0), (1000, 1001.2), (-500, -499.1), (7, 7.9)]
    assert paired_difference(close, maximize=True).direction == "better"


@pytest.mark.parametrize(
    ("pairs", "direction"),
    [
        ([(1.0, 9.0)], "cannot tell"),
        ([(1.0, 1.0), (2.0, 2.0)], "cannot tell"),
        ([(1.0, 2.0), (2.0, 3.0)], "better"),
        ([(0.0, 1.0), (0.0, -1.0)], "cannot tell"),
    ],
)
def test_few_or_equal_pairs(pairs, direction):
    assert paired_difference(pairs, maximize=True).direction == direction


def test_no_pair_has_no_difference():
    assert paired_difference([], maximize=True) is None


def test_ties_are_no_wins():
    assert paired_difference([(1, 1), (1, 1), (1, 2)], maximize=True).wins == 1

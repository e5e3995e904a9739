"""What the search said against what was measured anew."""

import pytest

from tuning.analysis.search_agreement import optimism, rank_correlation, ranks, slope, worth


def test_how_much_the_search_flattered():
    assert optimism([-130.0, -140.0], [-160.0, -150.0], maximize=True) == 20.0
    assert optimism([130.0, 140.0], [160.0, 150.0], maximize=False) == 20.0
    assert optimism([], [], maximize=True) is None


def test_the_slope_is_that_of_a_line():
    assert slope([1.0, 2.0, 3.0], [10.0, 10.5, 11.0]) == pytest.approx(0.5)
    assert slope([1.0, 2.0, 3.0], [5.0, 5.0, 5.0]) == 0
    assert slope([1.0, 2.0], [1.0, 2.0]) is None
    assert slope([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) is None


def test_kendalls_tau_by_hand():
    assert rank_correlation([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(4 / 6)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([1, 2], [1, 2]) is None
    assert rank_correlation([1, 1, 1], [1, 2, 3]) is None


def test_ranks_share_the_better_place():
    assert ranks({"a": 1.0, "b": 3.0, "c": 3.0}, maximize=True) == {"a": 3, "b": 1, "c": 1}
    assert ranks({"a": 1.0, "b": 3.0}, maximize=False) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"A": 1, "B": 2, "C": 3}, "about in the right order: 3 of 3 pairs are in the same order"),
        ({"A": 1, "B": 3, "C": 2}, "was a hint: 2 of 3 pairs are in the same order"),
        ({"A": 3, "B": 2, "C": 1}, "was worth little: 0 of 3 pairs are in the same order"),
    ],
)
def test_what_its_order_was_worth(now, said):
    found = worth({"A": 1, "B": 2, "C": 3}, now)
    assert said in found
    assert f"its first, A, is now number {now['A']} of 3." in found
    assert worth({"A": 1, "B": 2}, {"A": 1, "B": 2}) == ""

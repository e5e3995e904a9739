"""The comparison that the benchmark of both trainers prints, on numbers whose answer is known."""

import numpy as np
import pytest

from benchmarks.trainers_learn_alike import compare


def test_the_interval_holds_the_true_difference_as_often_as_it_says():
    random = np.random.default_rng(0)
    held = 0
    for _ in range(1_000):
        sb3 = random.normal(-200, 20, 20)
        c = compare(sb3 + random.normal(3, 10, 20), sb3, [-1_000, -1_100])
        held += c.low <= 3 <= c.high
    assert held == pytest.approx(900, abs=30)


def test_the_gap_is_what_tuning_gained():
    c = compare([-190, -210], [-200, -202], [-1_200, -1_000])
    assert c.gap == pytest.approx(899)
    assert c.difference == pytest.approx(1)


@pytest.mark.parametrize(("shift", "alike"), [(0, True), (30, True), (60, False), (-60, False)])
def test_alike_is_a_whole_interval_within_a_twentieth_of_the_gap(shift, alike):
    sb3 = np.linspace(-210, -190, 20)
    noise = np.tile([1.0, -1.0], 10)
    assert compare(sb3 + shift + noise, sb3, [-1_200] * 3).alike is alike


def test_too_much_spread_is_not_alike_even_without_a_difference():
    sb3 = np.full(20, -200.0)
    assert not compare(sb3 + np.tile([300.0, -300.0], 10), sb3, [-1_200] * 3).alike


def test_where_tuning_gained_nothing_nothing_is_alike():
    c = compare([500, 500, 499], [500, 499, 500], [500, 500, 500])
    assert not c.alike

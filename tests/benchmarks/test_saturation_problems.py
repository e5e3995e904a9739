"""The truth that the saturation benchmark judges by, checked against the functions themselves."""

import numpy as np
import pytest

from benchmarks import saturation
from benchmarks.saturation_problems import (
    EDGE_HIGH,
    EDGE_LOW,
    FAMILIES,
    FLAT,
    REPORT_FAMILIES,
    TUNING_FAMILIES,
    problem,
    run_study,
)


def test_tuning_and_report_share_no_family():
    assert not set(TUNING_FAMILIES) & set(REPORT_FAMILIES)
    assert set(TUNING_FAMILIES) | set(REPORT_FAMILIES) == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_configuration_inside_the_bounds_is_as_good_where_the_optimum_lies_beyond(family):
    random = np.random.default_rng(0)
    for index in range(6):
        p = problem(family, seed=3, index=index)
        best = np.array([a.optimum for a in p.axes])
        top = p.value(best)
        for j, axis in enumerate(p.axes):
            moved = np.tile(best, (40, 1))
            moved[:, j] = np.linspace(0, 1, 40)
            values = np.array([p.value(x) for x in moved])
            if axis.truth in (EDGE_LOW, EDGE_HIGH):
                assert (axis.optimum < 0) == (axis.truth == EDGE_LOW)
                assert values.max() < top
            elif axis.truth == FLAT:
                assert np.ptp(values) == 0
        anywhere = np.array([p.value(x) for x in random.random((300, len(p.axes)))])
        assert anywhere.max() <= top + 1e-9


def test_one_problem_is_the_same_every_time():
    first, again = (problem("draw", seed=1, index=2) for _ in range(2))

    assert first.axes == again.axes
    assert first.value(np.full(len(first.axes), 0.4)) == again.value(np.full(len(again.axes), 0.4))


def test_every_value_that_a_study_tries_has_its_place_in_the_range():
    p = problem("ridges", seed=1, index=4)
    trials = run_study(p, "random", 30, seed=0).trials

    places = [a.place(t.params[a.name]) for t in trials for a in p.axes if a.name in t.params]

    assert min(places) >= 0
    assert max(places) <= 1


def test_figures_count_by_side():
    def row(truth: str, side: str | None) -> saturation.Row:
        verdict = "edge" if side else "fine"
        return saturation.Row(0, "f", "float", truth, 100, verdict, side, "confident", (), None, ())

    rows = [
        row(EDGE_HIGH, "high"),
        row(EDGE_LOW, "high"),
        row(EDGE_LOW, None),
        row(FLAT, "low"),
        row(FLAT, None),
    ]

    said = saturation.figures(rows, saturation.likely)

    assert said.startswith("precision 0.33 (without near 0.33)  recall 0.33  flat 1/2")
    assert said.endswith("wrong side 1")

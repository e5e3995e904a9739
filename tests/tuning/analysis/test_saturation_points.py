import math
from dataclasses import replace

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from tuning.analysis.saturation import saturation_info
from tuning.analysis.saturation_points import axis_info, axis_infos
from tuning.analysis.verdicts import Verdict
from tuning.space.limits import Limit

RATE = FloatDistribution(1e-5, 1e-3, log=True)
STEPS = IntDistribution(5, 8)
SIZES = CategoricalDistribution([64, 16, 32])
WORDS = CategoricalDistribution(["tanh", "relu"])
NORM = FloatDistribution(0.5, 1.5)


@pytest.fixture
def one_parameter(trial):
    """Trials of one parameter: (value of the parameter, objective) pairs, or trials' keyword arguments."""

    def make(name, distribution, pairs):
        return [
            trial(i, value, params={name: x}, space={name: distribution})
            for i, (x, value) in enumerate(pairs)
        ]

    return make


def judged(trials, name=None, *, maximize=True, **changed):
    info = saturation_info(trials, maximize=maximize)
    p = next(p for p in info.parameters if name in (None, p.name))
    return replace(p, **changed)


def test_each_trial_that_says_something_is_drawn_once_in_its_role(study):
    info = saturation_info(study, maximize=True)
    axes = axis_infos(study, info)
    axis = axes["learning_rate"]
    top = [p.number for p in axis.top]
    assert top == list(axis.parameter.evidence.top)
    assert {p.number for p in axis.complete} == set(range(16)) - set(top)
    assert [p.number for p in axis.pruned] == [16]
    assert [p.number for p in axis.broken] == [17]  # 18 was killed and 19 still runs: neither says anything
    assert axis.broken[0].value is None
    assert "NaN" in axis.broken[0].why
    assert list(axes) == [p.name for p in info.parameters]


def test_a_logarithmic_axis_runs_from_bound_to_bound_with_its_outer_tenths(one_parameter):
    trials = one_parameter("rate", RATE, [(3e-5, 1.0), (1e-4, 2.0)])
    axis = axis_info(trials, judged(trials), maximize=True)
    assert (axis.start, axis.end) == pytest.approx((-5, -3))
    assert [x for zone in axis.zones for x in zone] == pytest.approx([-5, -4.8, -3.2, -3])
    assert (axis.ticks[0][1], axis.ticks[-1][1]) == ("1e-5", "0.001")
    assert axis.shown[0] < -5
    assert axis.shown[1] > -3
    assert len(axis.buckets) == 10
    assert not axis.by_level


def test_bounds_of_levels_lie_half_a_level_outside_so_that_no_trial_lies_on_a_line(one_parameter):
    trials = one_parameter("steps", STEPS, [(5, 1.0), (8, 2.0), (7, 3.0)])
    axis = axis_info(trials, judged(trials), maximize=True)
    assert (axis.start, axis.end) == (4.5, 8.5)
    assert axis.zones == ((4.5, 5.5), (7.5, 8.5))
    assert [b.best for b in axis.buckets] == [1.0, None, 3.0, 2.0]
    assert axis.by_level
    assert axis.ticks == ((5, "5"), (6, "6"), (7, "7"), (8, "8"))


def test_choices_that_are_numbers_are_shown_in_their_order(one_parameter):
    trials = one_parameter("size", SIZES, [(64, 1.0), (16, 2.0), (32, 3.0)])
    axis = axis_info(trials, judged(trials), maximize=True)
    assert axis.ticks == ((0.0, "16"), (1.0, "32"), (2.0, "64"))
    assert {p.number: p.position for p in (*axis.top, *axis.complete)} == {0: 2.0, 1: 0.0, 2: 1.0}
    assert [b.best for b in axis.buckets] == [2.0, 3.0, 1.0]
    assert len(axis.zones) == 2


def test_choices_without_order_have_no_edge_zones_and_no_line_between_them(one_parameter):
    trials = one_parameter("activation", WORDS, [("tanh", 1.0), ("relu", 2.0), ("relu", 5.0)])
    axis = axis_info(trials, judged(trials), maximize=True)
    assert axis.zones == ()
    assert not axis.joined
    assert [b.best for b in axis.buckets] == [1.0, 5.0]
    assert [words for _, words in axis.ticks] == ["tanh", "relu"]


@pytest.mark.parametrize("maximize", [True, False])
def test_the_line_is_the_best_complete_trial_of_each_bucket(trial, maximize):
    space = {"norm": NORM}
    trials = [
        trial(0, 1.0, params={"norm": 0.51}, space=space),
        trial(1, 4.0, params={"norm": 0.59}, space=space),
        trial(2, params={"norm": 0.55}, reports={10: 99.0 if maximize else -99.0}, space=space),  # pruned
        trial(3, 2.0, params={"norm": 1.5}, space=space),
    ]
    axis = axis_info(trials, judged(trials, maximize=maximize), maximize=maximize)
    assert [b.best for b in axis.buckets] == [4.0 if maximize else 1.0, *[None] * 8, 2.0]


def test_a_suggestion_beyond_a_bound_is_a_ghost_beyond_it(one_parameter):
    trials = one_parameter("rate", RATE, [(3e-5, 1.0), (1e-4, 2.0)])
    high = judged(trials, verdict=Verdict.EDGE, side="high", confidence="likely", suggested=(1e-5, 1e-2))
    axis = axis_info(trials, high, maximize=True)
    assert axis.ghost == pytest.approx((-3, -2))
    assert axis.ghost_ticks == ((pytest.approx(-2), "0.01"),)
    assert axis.shown[1] > -2
    low = replace(high, side="low", suggested=(1e-6, 1e-3))
    axis = axis_info(trials, low, maximize=True)
    assert axis.ghost == pytest.approx((-6, -5))
    assert axis.shown[0] < -6
    nowhere = replace(high, suggested=(1e-5, 1e-3))  # the natural limit left no room
    assert axis_info(trials, nowhere, maximize=True).ghost is None


def test_a_suggested_level_gets_its_full_width(one_parameter):
    trials = one_parameter("steps", STEPS, [(5, 1.0), (8, 2.0)])
    edge = judged(trials, verdict=Verdict.EDGE, side="high", confidence="likely", suggested=(5.0, 10.0))
    assert axis_info(trials, edge, maximize=True).ghost == (8.5, 10.5)


def test_every_new_choice_gets_a_place_of_its_own_beyond_the_last(one_parameter):
    trials = one_parameter("size", SIZES, [(64, 1.0), (16, 2.0)])
    edge = judged(trials, verdict=Verdict.EDGE, side="high", confidence="likely", suggested=(16.0, 256.0))
    axis = axis_info(trials, edge, maximize=True)
    assert axis.ghost == (2.5, 4.5)
    assert axis.ghost_ticks == ((3.0, "128"), (4.0, "256"))
    edge = replace(edge, side="low", suggested=(8.0, 64.0))
    axis = axis_info(trials, edge, maximize=True)
    assert axis.ghost == (-1.5, -0.5)
    assert axis.ghost_ticks == ((-1.0, "8"),)


def test_a_range_that_would_do_is_a_ghost_inside(one_parameter):
    trials = one_parameter("norm", NORM, [(0.9, 1.0), (1.0, 2.0)])
    wide = judged(trials, verdict=Verdict.TOO_WIDE, suggested=(0.8, 1.1))
    axis = axis_info(trials, wide, maximize=True)
    assert axis.ghost == (0.8, 1.1)
    assert [words for _, words in axis.ghost_ticks] == ["0.8", "1.1"]


def test_a_natural_limit_shows_where_it_is_near(one_parameter):
    gamma = FloatDistribution(0.9, 0.99)
    trials = one_parameter("gamma", gamma, [(0.95, 1.0), (0.96, 2.0)])
    limit = Limit(0.0, 1.0, True, True, "gamma must be below 1 and above 0")
    axis = axis_info(trials, judged(trials, limit=limit), maximize=True)
    assert axis.limits == ((1.0, "natural limit 1"),)  # 0 is far out of view
    assert axis.shown[1] > 1.0
    trials = one_parameter("rate", RATE, [(3e-5, 1.0), (1e-4, 2.0)])
    axis = axis_info(trials, judged(trials, limit=Limit(low=0.0, open_low=True)), maximize=True)
    assert axis.limits == ()  # a logarithm has no zero


def test_a_value_outside_the_declared_range_is_in_view_and_in_no_bucket(trial):
    inside = [trial(i, float(i), params={"norm": 0.6 + i / 10}, space={"norm": NORM}) for i in range(4)]
    outside = trial(4, 50.0, params={"norm": 1.0}, space={"norm": NORM})
    outside.params = {"norm": 2.5}  # as an enqueued trial may have it
    axis = axis_info([*inside, outside], judged(inside), maximize=True)
    assert axis.shown[1] > 2.5
    assert axis.end == 1.5
    assert max(b.best for b in axis.buckets if b.best is not None) == 3.0


def test_one_trial_is_enough_to_draw(one_parameter):
    trials = one_parameter("norm", NORM, [(1.0, 3.0)])
    axis = axis_info(trials, judged(trials), maximize=True)
    assert axis.values == (3.0,)
    assert all(math.isfinite(x) for x in (*axis.shown, axis.start, axis.end))


def test_the_same_trials_give_an_equal_info(study):
    info = saturation_info(study, maximize=True)
    assert axis_infos(study, info) == axis_infos([*study], info)


def test_a_parameter_of_failed_trials_only_is_drawn_with_its_rug(trial):
    space = {"norm": NORM}
    trials = [
        trial(
            0, params={"norm": 0.7}, space=space, state=TrialState.FAIL, attrs={"failure": {"kind": "error"}}
        )
    ]
    axis = axis_info(trials, judged(trials), maximize=True)
    assert [p.number for p in axis.broken] == [0]
    assert axis.values == ()

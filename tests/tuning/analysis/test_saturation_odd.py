"""Studies that once fooled or broke the verdicts."""

import math

import numpy as np
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from tuning.analysis.saturation import ParameterSaturation, saturation_info
from tuning.analysis.verdicts import Verdict
from tuning.space.limits import Limit, known_limits


def study(distribution: BaseDistribution, value, *, n: int = 60, name: str = "x") -> list[FrozenTrial]:
    """Random trials of one parameter and a bystander; `value` takes the parameter, None fails the trial."""
    random = np.random.default_rng(0)
    found = []
    for number in range(n):
        if isinstance(distribution, CategoricalDistribution):
            x = distribution.choices[int(random.integers(len(distribution.choices)))]
        elif distribution.log:
            x = math.exp(random.uniform(math.log(distribution.low), math.log(distribution.high)))
        else:
            x = random.uniform(distribution.low, distribution.high)
        x = round(x) if isinstance(distribution, IntDistribution) else x
        worth = value(x)
        trial = create_trial(
            params={name: x, "other": float(random.random())},
            distributions={name: distribution, "other": FloatDistribution(0, 1)},
            value=None if worth is None else worth + 0.02 * random.normal(),
            state=TrialState.FAIL if worth is None else TrialState.COMPLETE,
        )
        trial.number = number
        found.append(trial)
    return found


def verdict(
    trials: list[FrozenTrial], limits: dict[str, Limit] | None = None, name: str = "x"
) -> ParameterSaturation:
    info = saturation_info(trials, maximize=True, limits=limits or {})
    return next(p for p in info.parameters if p.name == name)


@pytest.mark.parametrize(
    ("name", "choices", "sign"),
    [
        ("learning_rate", [1e-5, 1e-4, 3e-4, 1e-3], -1),
        ("clip_range", [0.1, 0.2, 0.3, 0.4], -1),
        ("gamma", [0.9, 0.95, 0.97, 0.99], 1),
        ("gae_lambda", [0.8, 0.9, 0.95, 0.99], 1),
        ("n_steps", [8, 32, 128, 512], -1),
    ],
)
def test_a_list_that_can_go_on_before_its_natural_limit_is_too_narrow(name, choices, sign):
    found = verdict(
        study(CategoricalDistribution(choices), lambda x: sign * choices.index(x) / 3, name=name),
        known_limits([name]),
        name,
    )

    assert (found.verdict, found.side) == (Verdict.EDGE, "high" if sign > 0 else "low")
    assert found.suggested is not None
    assert found.suggested[0] < choices[0] or found.suggested[1] > choices[-1]


def test_a_whole_number_on_a_log_scale_cannot_go_below_one():
    found = verdict(study(IntDistribution(1, 1000, log=True), lambda x: -math.log(x)))

    assert (found.verdict, found.side, found.suggested) == (Verdict.NATURAL_LIMIT, "low", None)
    assert "the scale has no value beyond" in found.sentence


def test_a_namesake_whose_range_breaks_the_limit_is_another_parameter():
    found = verdict(
        study(FloatDistribution(0.0, 5.0), lambda x: x, name="gamma"), known_limits(["gamma"]), "gamma"
    )

    assert found.verdict == Verdict.EDGE
    assert found.suggested == (0.0, 7.5)


def test_a_study_in_which_nothing_varies_is_not_enough():
    trials = [t for t in study(FloatDistribution(0, 1), lambda x: x, n=40)]
    same = [
        create_trial(params={"x": 0.5}, distributions={"x": FloatDistribution(0, 1)}, value=t.value)
        for t in trials
    ]

    assert verdict(same).verdict == Verdict.NOT_ENOUGH


def test_where_half_of_the_range_breaks_the_best_beside_it_are_a_matter_of_stability():
    found = verdict(study(FloatDistribution(0, 1), lambda x: None if x > 0.5 else x, n=100))

    assert (found.verdict, found.side) == (Verdict.STABILITY, "high")


def test_one_complete_trial_among_pruned_ones_is_not_enough():
    trials = study(FloatDistribution(0, 1), lambda x: x)
    pruned = [
        create_trial(
            params=t.params,
            distributions=t.distributions,
            state=TrialState.PRUNED,
            value=t.value,
            intermediate_values={1: t.value},
        )
        for t in trials[1:]
    ]
    found = verdict([trials[0], *pruned])

    assert found.verdict == Verdict.NOT_ENOUGH
    assert found.missing > 0


def test_a_conditional_parameter_says_how_many_trials_of_the_study_it_needs():
    trials = study(FloatDistribution(0, 1), lambda x: x, n=50)
    half = [
        t
        if i % 2
        else create_trial(
            params={"other": t.params["other"]},
            distributions={"other": FloatDistribution(0, 1)},
            value=t.value,
        )
        for i, t in enumerate(trials)
    ]

    found = verdict(half)

    assert (found.verdict, found.missing) == (Verdict.NOT_ENOUGH, 10)


def test_all_that_tie_for_the_best_are_the_best():
    found = verdict(study(FloatDistribution(0, 1), lambda x: 1.0, n=60))
    tied = [
        create_trial(params=t.params, distributions=t.distributions, value=1.0)
        for t in study(FloatDistribution(0, 1), lambda x: 1.0, n=60)
    ]

    assert found.evidence.n_top == 9
    assert verdict(tied).evidence.n_top == 60
    assert verdict(tied).verdict not in (Verdict.EDGE, Verdict.TOO_WIDE)


@pytest.mark.parametrize(
    "distribution",
    [
        FloatDistribution(0.0, 1.7e308),
        CategoricalDistribution([1.0, 1e100, 1e200, 1e308]),
        FloatDistribution(5e-324, 1e-310, log=True),
        FloatDistribution(1e9, 1e9 + 1e-5),
        IntDistribution(1, 2**60, log=True),
    ],
)
def test_numbers_at_the_end_of_what_a_float_holds_break_nothing(distribution):
    scale = (
        distribution.choices[-1] if isinstance(distribution, CategoricalDistribution) else distribution.high
    )
    found = verdict(study(distribution, lambda x: x / scale))

    assert found.suggested is None or all(math.isfinite(x) for x in found.suggested)
    assert (found.verdict == Verdict.EDGE) <= (found.suggested is not None)


def test_an_end_that_no_trial_went_to_is_unexplored_whatever_the_others_say():
    trials = study(FloatDistribution(0.0, 0.6), lambda x: x)
    wider = []
    for t in trials:
        made = create_trial(
            params=t.params, distributions={**t.distributions, "x": FloatDistribution(0, 1)}, value=t.value
        )
        made.number = t.number
        wider.append(made)

    found = verdict(wider)

    assert (found.verdict, found.side) == (Verdict.HERDED, "high")
    assert "No trial went to the upper quarter of x" in found.sentence


def test_the_order_of_parameters_changes_nothing():
    trials = study(FloatDistribution(0, 1), lambda x: x)
    turned = []
    for t in trials:
        made = create_trial(
            params=dict(reversed(t.params.items())),
            distributions=dict(reversed(t.distributions.items())),
            value=t.value,
        )
        made.number = t.number
        turned.append(made)

    assert verdict(turned) == verdict(trials)

"""Verdicts on studies whose truth is known, and what must not change them."""

import math
from collections.abc import Callable

import numpy as np
import optuna
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from storage.trials import DIVERGED
from tuning.analysis.saturation import (
    LEAST_TRIALS,
    ParameterSaturation,
    SaturationInfo,
    not_ready,
    saturation_info,
)
from tuning.analysis.verdicts import Verdict
from tuning.space.limits import Limit

SPACE: dict[str, BaseDistribution] = {
    "out": FloatDistribution(1e-5, 1e-3, log=True),  # better beyond the upper bound
    "inside": FloatDistribution(0.0, 1.0),
    "nothing": FloatDistribution(-1.0, 1.0),
    "act": CategoricalDistribution(["tanh", "relu"]),
}


def place(name: str, value: float) -> float:
    """Where a value lies in its range, 0 to 1."""
    distribution = SPACE[name]
    assert isinstance(distribution, FloatDistribution)
    if distribution.log:
        return math.log(value / distribution.low) / math.log(distribution.high / distribution.low)
    return (value - distribution.low) / (distribution.high - distribution.low)


def objective(params: dict) -> float:
    return -3 * (place("out", params["out"]) - 1.3) ** 2 - 2 * (params["inside"] - 0.5) ** 2


def make_trials(
    n: int = 80, *, seed: int = 0, value: Callable[[dict], float] = objective
) -> list[FrozenTrial]:
    """Random trials of SPACE with a little noise."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(n):
        u = random.random(3)
        params = {
            "out": float(1e-5 * 100 ** u[0]),
            "inside": float(u[1]),
            "nothing": float(2 * u[2] - 1),
            "act": ("tanh", "relu")[int(random.integers(2))],
        }
        found.append(trial(number, params, value(params) + 0.1 * random.normal()))
    return found


def trial(number: int, params: dict, value: float | None, **more) -> FrozenTrial:
    distributions = more.pop("distributions", None) or {name: SPACE[name] for name in params}
    made = create_trial(params=params, distributions=distributions, value=value, **more)
    made.number = number
    return made


def by_name(info: SaturationInfo) -> dict[str, ParameterSaturation]:
    return {p.name: p for p in info.parameters}


def said(info: SaturationInfo) -> dict[str, tuple]:
    return {p.name: (p.verdict, p.side, p.confidence) for p in info.parameters}


def test_a_range_whose_optimum_lies_beyond_is_too_narrow_on_that_side():
    info = saturation_info(make_trials(), maximize=True)

    out = by_name(info)["out"]
    assert (out.verdict, out.side, out.confidence) == (Verdict.EDGE, "high", "confident")
    assert out.suggested == (1e-5, 1e-2)
    assert info.worst == out
    assert by_name(info)["inside"].verdict in (Verdict.FINE, Verdict.TOO_WIDE)
    assert by_name(info)["nothing"].verdict == Verdict.NO_EFFECT
    assert by_name(info)["act"].verdict != Verdict.EDGE


def test_the_sentence_holds_the_counts_and_the_range_to_try():
    out = by_name(saturation_info(make_trials(), maximize=True))["out"]

    assert out.sentence.startswith("out presses its upper bound:")
    assert f"{out.evidence.high.n_top} of the best {out.evidence.n_top} trials" in out.sentence
    assert out.sentence.endswith("Try up to 0.01.")


def test_too_few_trials_say_how_many_are_missing():
    found = saturation_info(make_trials(LEAST_TRIALS - 18), maximize=True)

    assert {p.verdict for p in found.parameters} == {Verdict.NOT_ENOUGH}
    assert {p.missing for p in found.parameters} == {18}
    assert all("run at least 18 more trials" in p.sentence for p in found.parameters)


def test_a_value_that_was_tried_twice_only_is_not_enough():
    steps = FloatDistribution(0.0, 1.0)
    trials = [trial(i, {"x": float(i % 2)}, float(i), distributions={"x": steps}) for i in range(60)]

    only = saturation_info(trials, maximize=True).parameters[0]

    assert only.verdict == Verdict.NOT_ENOUGH
    assert "only 2 values" in only.sentence


def test_a_bound_that_cannot_move_is_a_natural_limit():
    limits = {"out": Limit(high=1e-3, about="out must be at most 0.001")}

    out = by_name(saturation_info(make_trials(), maximize=True, limits=limits))["out"]

    assert (out.verdict, out.side, out.suggested) == (Verdict.NATURAL_LIMIT, "high", None)
    assert "out must be at most 0.001" in out.sentence


def test_a_limit_that_is_almost_reached_counts_on_a_linear_axis():
    gamma = FloatDistribution(0.97, 0.9999)
    random = np.random.default_rng(3)
    values = random.uniform(0.97, 0.9999, 60)
    trials = [
        trial(i, {"gamma": float(g)}, float(1000 * g + 0.3 * random.normal()), distributions={"gamma": gamma})
        for i, g in enumerate(values)
    ]

    only = saturation_info(trials, maximize=True, limits={"gamma": Limit(0, 1, open_high=True)}).parameters[0]

    assert only.verdict == Verdict.NATURAL_LIMIT


def test_breaking_training_beside_the_best_is_a_matter_of_stability():
    trials = []
    for t in make_trials(110):
        if place("out", t.params["out"]) > 0.72:
            t = trial(t.number, t.params, None, state=TrialState.FAIL)
        trials.append(t)

    out = by_name(saturation_info(trials, maximize=True))["out"]

    assert (out.verdict, out.side, out.suggested) == (Verdict.STABILITY, "high", None)
    assert "failed or diverged" in out.sentence


def test_a_diverged_trial_is_infeasible_and_a_killed_one_says_nothing():
    diverged = trial(0, {"inside": 0.9}, 5.0, state=TrialState.PRUNED, user_attrs={DIVERGED: "NaN"})
    killed = trial(
        1, {"inside": 0.9}, None, state=TrialState.FAIL, user_attrs={"failure": {"kind": "killed"}}
    )

    info = saturation_info([diverged, killed, *make_trials(40)[2:]], maximize=True)

    assert by_name(info)["inside"].evidence.n_infeasible == 1


def test_pruned_trials_never_count_by_the_value_that_optuna_stores():
    trials = make_trials(80)
    lured = [  # their last reports, stored as values, would make the lower end look best
        trial(80 + i, {**trials[i].params, "out": 1.2e-5}, 99.0, state=TrialState.PRUNED) for i in range(10)
    ]

    out = by_name(saturation_info([*trials, *lured], maximize=True))["out"]

    assert (out.verdict, out.side) == (Verdict.EDGE, "high")
    assert not {t.number for t in lured} & set(out.evidence.top)


def test_ties_failures_and_missing_values_break_nothing():
    trials = make_trials(60)
    odd = [
        trial(60, dict(trials[0].params), -math.inf),
        trial(61, dict(trials[1].params), math.inf),
        trial(62, dict(trials[2].params), None, state=TrialState.FAIL),
        trial(63, {}, 0.0, distributions={}),
        trial(64, dict(trials[3].params), trials[3].value),
    ]

    info = saturation_info([*trials, *odd], maximize=True)

    assert by_name(info)["out"].verdict == Verdict.EDGE
    assert info.n_ranked == 62


def test_values_that_are_all_equal_give_no_edge():
    info = saturation_info(make_trials(60, value=lambda params: 0.0)[:0] + flat_trials(), maximize=True)

    assert Verdict.EDGE not in {p.verdict for p in info.parameters}


def flat_trials() -> list[FrozenTrial]:
    return [trial(t.number, t.params, 1.0) for t in make_trials(60)]


def test_a_conditional_parameter_is_judged_by_the_trials_that_have_it():
    trials = []
    for t in make_trials(120):
        params = dict(t.params)
        if params["act"] == "tanh":
            params.pop("out")
            trials.append(trial(t.number, params, -2.0 - 2 * (params["inside"] - 0.5) ** 2))
        else:
            trials.append(t)

    out = by_name(saturation_info(trials, maximize=True))["out"]

    assert out.evidence.n == sum("out" in t.params for t in trials)
    assert (out.verdict, out.side) == (Verdict.EDGE, "high")


def test_ranges_that_differ_between_trials_are_one_axis():
    narrow = {**SPACE, "out": FloatDistribution(1e-5, 1e-4, log=True)}
    trials = []
    for t in make_trials(120):
        within = t.params["out"] <= 1e-4
        distributions = {k: (narrow if within and t.number < 60 else SPACE)[k] for k in t.params}
        trials.append(trial(t.number, t.params, t.value, distributions=distributions))

    out = by_name(saturation_info(trials, maximize=True))["out"]

    assert (out.low, out.high) == (1e-5, 1e-3)
    assert (out.verdict, out.side) == (Verdict.EDGE, "high")


def test_nothing_to_judge_is_a_sentence():
    assert "no trials yet" in (not_ready([]) or "")
    fixed = [trial(i, {"x": 1.0}, float(i), distributions={"x": FloatDistribution(1, 1)}) for i in range(3)]
    assert "No parameter of this study varies" in (not_ready(fixed) or "")
    assert saturation_info(fixed, maximize=True).worst is None
    assert not_ready(make_trials(3)) is None


def test_whole_numbers_and_ordered_choices_have_ends():
    random = np.random.default_rng(1)
    space: dict[str, BaseDistribution] = {
        "layers": IntDistribution(1, 6),
        "batch": CategoricalDistribution([32, 64, 128, 256]),
        "opt": CategoricalDistribution(["sgd", "adam", "rmsprop"]),
    }
    trials = []
    for i in range(90):
        params = {
            "layers": int(random.integers(1, 7)),
            "batch": int(random.choice([32, 64, 128, 256])),
            "opt": str(random.choice(["sgd", "adam", "rmsprop"])),
        }
        value = (
            params["layers"] - math.log2(params["batch"]) + (params["opt"] == "sgd") + 0.3 * random.normal()
        )
        trials.append(trial(i, params, value, distributions=space))

    found = by_name(saturation_info(trials, maximize=True))

    assert (found["layers"].verdict, found["layers"].side) == (Verdict.EDGE, "high")
    assert found["layers"].suggested == (1, 9)
    assert (found["batch"].verdict, found["batch"].side) == (Verdict.EDGE, "low")
    assert found["batch"].suggested == (8, 256)
    assert found["opt"].verdict != Verdict.EDGE
    assert (found["opt"].low, found["opt"].high) == (None, None)


# What must not matter. Each study also has failures and pruned trials.


def study_with_everything(seed: int) -> list[FrozenTrial]:
    trials = []
    for t in make_trials(60, seed=seed):
        if t.number % 11 == 3:
            t = trial(t.number, t.params, None, state=TrialState.FAIL)
        elif t.number % 7 == 5:
            reports = {1: (t.value or 0.0) - 1}
            t = trial(t.number, t.params, reports[1], state=TrialState.PRUNED, intermediate_values=reports)
        else:
            t = trial(t.number, t.params, t.value, intermediate_values={1: (t.value or 0.0) - 0.5})
        trials.append(t)
    return trials


SEEDS = (0, 1, 2)


def transformed(t: FrozenTrial, change: Callable[[float], float]) -> FrozenTrial:
    reports = {step: change(v) for step, v in t.intermediate_values.items()}
    value = None if t.value is None else change(t.value)
    return trial(t.number, t.params, value, state=t.state, intermediate_values=reports)


@pytest.mark.parametrize("seed", SEEDS)
def test_minimising_the_negative_agrees_with_maximising(seed):
    trials = study_with_everything(seed)

    minimised = saturation_info([transformed(t, lambda v: -v) for t in trials], maximize=False)

    assert minimised.parameters == saturation_info(trials, maximize=True).parameters


@pytest.mark.parametrize("seed", SEEDS)
def test_a_monotone_transform_of_the_objective_changes_nothing(seed):
    trials = study_with_everything(seed)

    stretched = saturation_info(
        [transformed(t, lambda v: 1e6 * math.exp(v) - 7) for t in trials], maximize=True
    )

    assert stretched.parameters == saturation_info(trials, maximize=True).parameters


@pytest.mark.parametrize("seed", SEEDS)
def test_mirroring_an_axis_mirrors_its_verdict(seed):
    trials = study_with_everything(seed)
    space = {**SPACE, "out": FloatDistribution(1e3, 1e5, log=True)}
    mirrored = [
        trial(
            t.number,
            {**t.params, "out": 1 / t.params["out"]},
            t.value,
            state=t.state,
            intermediate_values=t.intermediate_values,
            distributions=space,
        )
        for t in trials
    ]

    plain, turned = (said(saturation_info(ts, maximize=True)) for ts in (trials, mirrored))

    other = {"low": "high", "high": "low", None: None}
    verdict, side, confidence = plain["out"]
    assert turned["out"] == (verdict, other[side], confidence)
    assert {k: v for k, v in turned.items() if k != "out"} == {k: v for k, v in plain.items() if k != "out"}


@pytest.mark.parametrize("seed", SEEDS)
def test_an_axis_that_is_already_logged_gives_the_same_verdict(seed):
    trials = study_with_everything(seed)
    space = {**SPACE, "out": FloatDistribution(math.log(1e-5), math.log(1e-3))}
    logged = [
        trial(
            t.number,
            {**t.params, "out": math.log(t.params["out"])},
            t.value,
            state=t.state,
            intermediate_values=t.intermediate_values,
            distributions=space,
        )
        for t in trials
    ]

    assert said(saturation_info(logged, maximize=True)) == said(saturation_info(trials, maximize=True))


def test_pure_noise_presses_no_bound():
    fired = 0
    for seed in range(12):
        random = np.random.default_rng(100 + seed)
        info = saturation_info(
            make_trials(60, seed=seed, value=lambda params, random=random: float(random.normal())),
            maximize=True,
        )
        fired += any(p.verdict == Verdict.EDGE for p in info.parameters)

    assert fired <= 1


def test_a_sampler_that_herds_is_not_taken_for_evidence():
    """All trials at one end and no influence at all: the naive rule fires, and the verdict says why not."""
    random = np.random.default_rng(5)
    trials = []
    for i in range(80):
        u = float(random.beta(12, 1)) if i >= 10 else float(random.random())
        params = {"herd": u, "other": float(random.random())}
        space = {"herd": FloatDistribution(0, 1), "other": FloatDistribution(0, 1)}
        trials.append(
            trial(i, params, -((params["other"] - 0.5) ** 2) + 0.05 * random.normal(), distributions=space)
        )

    herd = by_name(saturation_info(trials, maximize=True))["herd"]

    assert herd.verdict in (Verdict.WATCH, Verdict.HERDED)


def test_a_real_tpe_study_finds_the_narrow_side():
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=4))
    study.optimize(
        lambda t: (t.suggest_float("a", 0, 1) + 0.4) ** 2 + (t.suggest_float("b", 0, 1) - 0.5) ** 2,
        n_trials=60,
    )

    found = said(saturation_info(study.trials, maximize=False))

    assert found["a"][:2] == (Verdict.EDGE, "low")
    assert found["b"][0] != Verdict.EDGE

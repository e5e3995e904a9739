"""What a probe's runs say, from results made by hand."""

import numpy as np
import pytest

from tuning.analysis.probe import ProbeVerdict, probe_info
from tuning.probe import Probe, ProbedConfiguration
from tuning.retraining_plan import RunResult


def question(*values, side="high", n_seeds=3, n_configurations=3, maximize=True):
    return Probe(
        parameter="learning_rate",
        side=side,
        low=3e-5,
        high=3e-4,
        values=values or (5e-4, 1e-3),
        configurations=[
            ProbedConfiguration(trial=10 + n, value=2e-4, result=-200.0) for n in range(n_configurations)
        ],
        n_seeds=n_seeds,
        n_timesteps=1000,
        study_timesteps=1000,
        maximize=maximize,
    )


def results(asked, effects, *, states=None, seeds=None):
    """Results in which each value adds its effect, and a little that differs from pair to pair.

    `effects`: value to a number, or to a function of (configuration index, seed).
    """
    found = {}
    for c, configuration in enumerate(asked.configurations):
        for seed in range(asked.n_seeds) if seeds is None else seeds:
            base = -300.0 - 40 * c + 17 * seed
            for value in (None, *asked.values):
                effect = 0.0 if value is None else effects.get(value, 0.0)
                effect = effect(c, seed) if callable(effect) else effect
                noise = 0.0 if value is None else 3.0 * ((c + seed) % 3 - 1)
                key = asked.key(configuration, value, seed)
                state = (states or {}).get(value, "ok")
                found[key] = (
                    RunResult(key=key, state="ok", mean=base + effect + noise, std=1.0)
                    if state == "ok"
                    else RunResult(key=key, state=state, message="the weights became NaN.")
                )
    return found


def info_of(asked, found):
    return probe_info(
        asked, found, n_runs=len(asked.configurations) * asked.n_seeds * (1 + len(asked.values))
    )


def test_better_beyond_names_the_best_value_with_its_numbers():
    asked = question()
    info = info_of(asked, results(asked, {5e-4: 50.0, 1e-3: 212.0}))
    assert info.verdict == ProbeVerdict.BETTER_BEYOND
    assert info.sentence.startswith(
        "Past the bound it gets better: at learning_rate 0.001 the return is 212 higher (90 % interval 21"
    )
    assert info.sentence.endswith("better in 9 of 9 pairs).")
    assert (info.n_done, info.n_runs, info.n_lost) == (27, 27, 0)
    near, far = info.values
    assert (near.value, far.value, near.past, len(far.pairs)) == (5e-4, 1e-3, True, 9)
    assert far.difference.wins == 9
    assert far.difference.low < 212 < far.difference.high
    assert info.trials == (10, 11, 12)


def test_only_pairs_of_one_configuration_and_seed_are_compared():
    asked = question(1e-3, n_configurations=1, n_seeds=2)
    found = {}
    for seed, (before, after) in enumerate([(0.0, 10.0), (1000.0, 1011.0)]):
        for value, mean in ((None, before), (1e-3, after)):
            key = asked.key(asked.configurations[0], value, seed)
            found[key] = RunResult(key=key, state="ok", mean=mean)
    info = info_of(asked, found)
    assert [(p.before, p.after) for p in info.values[0].pairs] == [(0.0, 10.0), (1000.0, 1011.0)]
    assert info.values[0].difference.mean == 10.5


@pytest.mark.parametrize("maximize", [True, False])
def test_the_direction_of_the_study_decides(maximize):
    asked = question(maximize=maximize)
    info = info_of(asked, results(asked, {5e-4: -80.0, 1e-3: -90.0}))
    assert info.verdict == (ProbeVerdict.WORSE_BEYOND if maximize else ProbeVerdict.BETTER_BEYOND)
    assert "interval 7" in info.sentence or "interval 8" in info.sentence, "no sign where the word says lower"
    shown = "80 lower" if maximize else "90 lower"  # the nearest value is what counts against the bound
    assert shown in info.sentence
    assert ("better in 0 of 9" if maximize else "better in 9 of 9") in info.sentence


def test_noise_is_no_verdict():
    asked = question()
    info = info_of(asked, results(asked, {1e-3: lambda c, seed: 40 * (-1) ** (c + seed)}))
    assert info.verdict == ProbeVerdict.CANNOT_TELL
    assert info.sentence.startswith("The probe cannot tell: at learning_rate")
    assert "the return changes by" in info.sentence
    assert "interval -" in info.sentence, "an interval around zero has both signs"


def test_where_it_stops_being_better_is_said():
    asked = question()
    info = info_of(asked, results(asked, {5e-4: 100.0, 1e-3: -100.0}))
    assert info.verdict == ProbeVerdict.BETTER_BEYOND
    assert "at learning_rate 5e-4 the return is 100 higher" in info.sentence
    assert info.sentence.endswith("At 0.001 it is already worse.")


def test_a_configuration_that_points_the_other_way_is_named():
    asked = question(1e-3)
    info = info_of(asked, results(asked, {1e-3: lambda c, _: -20.0 if c == 1 else 120.0}))
    assert info.verdict == ProbeVerdict.BETTER_BEYOND
    assert "Not for every configuration: that of trial 11 points the other way." in info.sentence


@pytest.mark.parametrize("state", ["diverged", "failed"])
def test_a_value_at_which_training_breaks(state):
    asked = question()
    info = info_of(asked, results(asked, {}, states={5e-4: state, 1e-3: state}))
    assert info.verdict == ProbeVerdict.BREAKS_BEYOND
    assert "9 of 9 runs there broke" in info.sentence
    assert "the weights became NaN" in info.sentence
    assert info.n_lost == 18
    assert info.values[0].difference is None


def test_a_value_that_is_better_only_where_it_does_not_break_is_not_better():
    asked = question(1e-3)
    found = results(asked, {1e-3: 500.0})
    lost = [key for key in found if "0.001" in key][:5]
    found |= {key: RunResult(key=key, state="diverged", message="NaN") for key in lost}
    info = info_of(asked, found)
    assert info.verdict == ProbeVerdict.BREAKS_BEYOND
    assert len(info.values[0].pairs) == 4


def test_a_few_broken_runs_are_counted_beside_the_verdict():
    asked = question(1e-3)
    found = results(asked, {1e-3: 500.0})
    lost = next(key for key in found if "0.001" in key)
    found[lost] = RunResult(key=lost, state="diverged", message="NaN")
    info = info_of(asked, found)
    assert info.verdict == ProbeVerdict.BETTER_BEYOND
    assert "1 of 9 runs there broke." in info.sentence


def test_a_run_that_fails_everywhere_is_no_evidence_against_the_value():
    asked = question(1e-3)
    info = info_of(asked, results(asked, {}, states={None: "failed", 1e-3: "failed"}))
    assert info.verdict == ProbeVerdict.CANNOT_TELL
    assert info.values[0].n_broken == 0
    assert info.sentence.startswith("No pair of runs gave a value. The first that failed: the weights")


def test_partial_results_say_how_many_they_are():
    asked = question()
    info = info_of(asked, results(asked, {1e-3: 212.0}, seeds=[0]))
    assert info.sentence.startswith("After 9 of 27 runs: past the bound it gets better")
    assert [len(v.pairs) for v in info.values] == [3, 3]


def test_a_single_pair_is_no_verdict():
    asked = question(1e-3, n_configurations=1, n_seeds=1)
    info = info_of(asked, results(asked, {1e-3: 212.0}))
    assert info.verdict == ProbeVerdict.CANNOT_TELL
    assert "in a single pair" in info.sentence


def test_no_result_yet():
    info = info_of(question(), {})
    assert info.verdict == ProbeVerdict.CANNOT_TELL
    assert info.sentence == "After 0 of 27 runs: no pair of runs is complete yet."


def test_a_better_value_within_the_range():
    asked = question(5e-5, 1e-5, side="low")
    info = info_of(asked, results(asked, {5e-5: 100.0}))
    assert [v.past for v in info.values] == [False, True]
    assert info.verdict == ProbeVerdict.BETTER_INSIDE
    assert info.sentence.startswith("It is better within the range: at learning_rate 5e-5")


def test_a_parameter_without_effect_is_rarely_called_better():
    """Each value is judged alone at 90 %: with two values, at most one probe in ten errs to the good side."""
    rng = np.random.default_rng(3)
    asked, n = question(), 300
    verdicts = []
    for _ in range(n):
        draws = {v: rng.normal(0.0, 60.0, (3, 3)) for v in asked.values}
        effects = {v: (lambda c, seed, d=draws[v]: float(d[c, seed])) for v in asked.values}
        verdicts.append(info_of(asked, results(asked, effects)).verdict)
    assert sum(v == ProbeVerdict.BETTER_BEYOND for v in verdicts) / n < 0.14

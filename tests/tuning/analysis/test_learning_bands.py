"""Learning curves over runs: one grid, medians and spread, runs that end early, files on disk."""

import json

import pytest

from storage.live import Curve, append_curve
from storage.paths import RunFolder
from tuning.analysis.learning_bands import candidate_bands, learning_bands, learning_bands_figure
from tuning.reevaluation import Candidate, Reevaluation
from tuning.retraining_plan import RetrainPlan, TrainingRun
from tuning.spec_parts import EnvSpec

STEPS = 1000


def curve(level, *, until=STEPS, every=20):
    return Curve(tuple((t, float(level)) for t in range(every, until + 1, every)), ())


def test_the_middle_is_the_median_and_few_runs_show_their_whole_range():
    info = learning_bands({"Trial 1": [curve(1), curve(2), curve(9)]}, n_timesteps=STEPS)
    (band,) = info.bands
    assert band.n_runs == 3
    assert set(band.middle) == {2.0}
    assert (set(band.low), set(band.high)) == ({1.0}, {9.0})
    assert not band.is_quartiles
    assert (band.steps[0], band.steps[-1]) == (20, STEPS)
    assert "spans all of them" in learning_bands_figure(info).layout.title.text.replace("<br>", " ")


def test_with_five_runs_the_band_is_the_middle_half():
    info = learning_bands({"Trial 1": [curve(x) for x in (0, 1, 2, 3, 100)]}, n_timesteps=STEPS)
    (band,) = info.bands
    assert (band.low[0], band.middle[0], band.high[0]) == (1.0, 2.0, 3.0)
    assert "the middle half of them" in learning_bands_figure(info).layout.title.text.replace("<br>", " ")


def test_episodes_of_one_step_of_the_grid_count_once():
    run = Curve(((5, 0.0), (10, 0.0), (15, 3.0), (40, 10.0)), ())
    (band,) = learning_bands({"Trial 1": [run]}, n_timesteps=STEPS).bands
    assert band.middle == (1.0, 10.0)
    assert band.steps == (20, 40)


def test_long_episodes_leave_no_holes_and_nothing_before_the_first():
    (band,) = learning_bands({"Trial 1": [curve(5, every=300)]}, n_timesteps=STEPS).bands
    assert (band.steps[0], band.steps[-1]) == (300, STEPS)
    assert set(band.middle) == {5.0}
    assert len(band.steps) == 36


def test_a_run_that_broke_counts_as_long_as_it_trained():
    runs = [curve(1), curve(1), curve(100, until=500)]
    (band,) = learning_bands({"Trial 1": runs}, n_timesteps=STEPS).bands
    assert band.high[0] == 100.0
    assert band.high[-1] == 1.0
    (most_broke,) = learning_bands(
        {"Trial 1": [curve(1), curve(2, until=400), curve(3, until=400)]}, n_timesteps=STEPS
    ).bands
    assert most_broke.steps[-1] == 400, "one run of three is no band"


def test_what_lies_past_the_end_joins_the_last_step():
    run = Curve((*curve(1).episodes, (STEPS + 48, 3.0)), ())
    (band,) = learning_bands({"Trial 1": [run]}, n_timesteps=STEPS).bands
    assert band.steps[-1] == STEPS
    assert band.middle[-1] == 2.0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_to_show_is_a_sentence(theme):
    empty = Curve((), ())
    odd = Curve(((10, float("nan")), (20, float("inf"))), ())
    info = learning_bands({"Trial 1": [empty, odd], "SB3 defaults": []}, n_timesteps=STEPS)
    assert info.bands == ()
    assert "No training run" in learning_bands_figure(info, theme=theme).layout.annotations[0].text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_baseline_is_dashed_and_names_show_as_they_are(theme):
    name = "<script>alert(1)</script>"
    runs = {name: [curve(-150)], "SB3 defaults": [curve(-1100)]}
    info = learning_bands(runs, baselines=frozenset({"SB3 defaults"}), n_timesteps=STEPS)
    figure = learning_bands_figure(info, theme=theme)
    lines = [trace for trace in figure.data if trace.showlegend is not False]
    assert [trace.line.dash for trace in lines] == ["solid", "dash"]
    assert "SB3 defaults at" in figure.layout.title.text.replace("<br>", " ")
    assert "<script" not in json.dumps(json.loads(figure.to_json()), ensure_ascii=False)


def test_the_curves_of_runs_that_have_ended_are_read_by_their_place_in_the_plan(tmp_path):
    folder = RunFolder(tmp_path)
    question = Reevaluation(
        mode="retrain",
        candidates=[
            Candidate(key=key, kind=kind, name=key.capitalize(), resolved={}, n_train_envs=1)
            for key, kind in (("trial 1", "trial"), ("defaults", "defaults"))
        ],
        n_seeds=2,
        n_episodes=1,
        n_timesteps=STEPS,
        study_timesteps=STEPS,
        maximize=True,
    )
    keys = [question.run_key(c, seed) for seed in range(2) for c in question.candidates]
    plan = RetrainPlan(
        env=EnvSpec(id="Pendulum-v1"),
        algorithm="PPO",
        policy="MlpPolicy",
        n_train_envs=1,
        n_timesteps=STEPS,
        n_eval_episodes=1,
        n_eval_envs=1,
        n_workers=1,
        runs=tuple(
            TrainingRun(key=key, label=key, resolved={}, train_seed=10_000, eval_seed=11_000) for key in keys
        ),
    )
    for place in range(4):
        append_curve(folder, place, list(curve(place).episodes))
    info = candidate_bands(folder, question, plan, keys[:3], ["trial 1", "defaults"])
    ours, baseline = info.bands
    assert (ours.name, ours.n_runs, ours.middle[0]) == ("Trial 1", 2, 1.0)  # places 0 and 2
    assert (baseline.n_runs, baseline.middle[0], baseline.is_baseline) == (1, 1.0, True)  # 3 still trains
    assert info.n_timesteps == STEPS
    by_the_clock = question.model_copy(update={"study_seconds": 60.0, "study_timesteps": 1, "n_timesteps": 1})
    info = candidate_bands(folder, by_the_clock, plan, keys[:3], ["trial 1", "defaults"])
    assert info.n_timesteps == max(steps for steps, _ in curve(0).episodes)

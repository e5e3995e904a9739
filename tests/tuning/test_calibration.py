"""From what a few configurations cost to the time of a study."""

import json
import time

import pytest

from tuning import calibrating
from tuning.calibration import Calibration, Cost, covers, key_of, study_time
from tuning.calibration_probe import shortened, step_costs
from tuning.calibration_words import basis_sentence, slowdown_sentence, trial_sentence
from tuning.space.resolve import resolve_configuration
from tuning.spec import build_spec


def request(**over):
    budget = {"n_trials": 10, "n_timesteps": 10_000, "n_evaluations": 1, "n_eval_episodes": 5}
    spec = {
        "env": {"id": "Pendulum-v1"},
        "search_space": "learning-rate-only",
        "hyperparameters": {"n_steps": 1000, "batch_size": 100},
        "pruner": {"name": "none"},
        "n_eval_envs": 5,
        "n_workers": 2,
        **over,
    }
    return build_spec({**spec, "budget": {**budget, **over.get("budget", {})}})


def cost(number=0, *, collect=1e-4, update=3e-4, random=None, episode_steps=200.0):
    return Cost(
        configuration=number,
        trainer="fast",
        build_s=0.05,
        random_step_s=random,
        collect_step_s=collect,
        update_step_s=update,
        eval_step_s=1e-4,
        episode_steps=episode_steps,
    )


def measured(*alone, together=(), n_together=1, **over):
    return Calibration(
        measured_at=1000.0,
        n_cores=4,
        busy_cores=over.pop("busy_cores", 0.0),
        start_s=2.0,
        time_limit=over.pop("time_limit", 200),
        alone=alone or (cost(0), cost(1)),
        n_together=n_together,
        together=together,
    )


def test_a_trial_is_its_steps_evaluations_and_start():
    told = study_time(request(), measured())
    trial = told.trial
    assert trial.collect_s == pytest.approx(1.0)
    assert trial.learn_s == pytest.approx(3.0)
    assert trial.evaluate_s == pytest.approx(200 * 1e-4)
    assert trial.start_s == pytest.approx(0.2)
    assert told.n_timesteps == 10_000
    one = told.row(1)
    assert one.low_s < 10 * trial.total_s + 2 < one.high_s
    assert one.steps_per_s == pytest.approx(10_000 / trial.total_s)


def test_whole_rollouts_are_trained():
    assert study_time(request(budget={"n_timesteps": 10_001}), measured()).n_timesteps == 11_000


def test_workers_share_the_trials_and_what_they_cost_each_other_counts():
    spec = request(budget={"n_trials": 100})
    beside = (cost(0, collect=1.5e-4, update=4.5e-4), cost(1, collect=1.5e-4, update=4.5e-4))
    free, shared = (
        study_time(spec, measured(together=both, n_together=2)) for both in ((cost(0), cost(1)), beside)
    )
    assert [row.n_workers for row in free.rows] == [1, 2]
    assert free.slowdown == 1
    assert shared.slowdown == pytest.approx(1.5)
    assert free.row(2).high_s == pytest.approx(free.row(1).high_s / 2, rel=0.05)
    assert shared.row(2).high_s == pytest.approx(free.row(2).high_s * 1.5, rel=0.05)
    assert shared.row(1) == free.row(1)
    assert shared.row(99) == shared.row(2)


def test_more_workers_than_cores_are_no_faster():
    calibration = measured(n_together=4, together=(cost(0), cost(1)))
    rows = {row.n_workers: row for row in study_time(request(n_workers=8), calibration).rows}
    assert sorted(rows) == [1, 2, 3, 4, 8]
    assert rows[8].high_s >= rows[4].high_s > 0


def test_several_seeds_cost_as_many_trainings():
    one, three = (
        study_time(request(objective={"n_seeds": n}), measured()).trial for n in (1, 3)
    )  # fmt: skip
    assert three.learn_s == pytest.approx(3 * one.learn_s)
    assert three.evaluate_s == pytest.approx(3 * one.evaluate_s)


def test_a_time_budget_fixes_the_seconds_and_tells_the_steps():
    told = study_time(request(budget={"trial_seconds": 8}), measured())
    assert told.trial.collect_s + told.trial.learn_s == pytest.approx(8)
    assert told.n_timesteps == 20_000


def test_steps_before_learning_starts_are_cheap():
    spec = request(
        algorithm="DQN",
        env={"id": "CartPole-v1"},
        hyperparameters={"learning_starts": 5000},
        search_space=[{"name": "learning_rate", "kind": "float", "low": 1e-4, "high": 1e-2, "log": True}],
    )
    trial = study_time(spec, measured(cost(0, random=2e-5), cost(1, random=2e-5))).trial
    assert trial.learn_s == pytest.approx(5000 * 3e-4)
    assert trial.collect_s == pytest.approx(5000 * 2e-5 + 5000 * 1e-4)


def test_episodes_that_may_become_longer_widen_the_range():
    spec = request(budget={"n_eval_episodes": 500})
    fixed = study_time(spec, measured(cost(0), cost(1)))
    growing = study_time(spec, measured(cost(0, episode_steps=20.0), cost(1, episode_steps=20.0)))
    assert growing.row(1).low_s < fixed.row(1).low_s
    assert growing.row(1).high_s == pytest.approx(fixed.row(1).high_s)


def test_a_time_limit_of_the_study_ends_it():
    assert study_time(request(budget={"timeout_s": 10, "n_trials": 1000}), measured()).row(1).high_s < 20


def test_the_model_carries_measurements_over_to_dearer_configurations():
    """Measured was only what has cheap updates; the space holds dearer ones, of which the model knows."""
    batch = {"name": "batch_size", "kind": "categorical", "choices": [8, 1000], "transform": "identity"}
    spec = request(search_space=[batch], hyperparameters={"n_steps": 1000})
    sample = [s["batch_size"] for s in calibrating.space_sample(spec)]
    cheap, dear = sample.index(1000), sample.index(8)
    only_cheap = study_time(spec, measured(cost(cheap), cost(cheap))).trial.total_s
    only_dear = study_time(spec, measured(cost(dear), cost(dear))).trial.total_s
    assert only_cheap > 1.5 * only_dear  # the same measured seconds stand for a dearer space


def test_the_key_is_what_the_cost_of_a_step_depends_on():
    key = key_of(request())
    assert key == key_of(request(budget={"n_trials": 99, "n_timesteps": 5}, n_workers=1, seed=4, name="x"))
    others = [
        request(env={"id": "Pendulum-v1", "kwargs": {"g": 9.0}}),
        request(env={"id": "Pendulum-v1", "frame_stack": 2}),
        request(trainer="sb3"),
        request(n_train_envs=3),
        request(n_eval_envs=2),
        request(hyperparameters={}),
        request(search_space="starter", hyperparameters={}),
    ]
    assert len({key, *map(key_of, others)}) == 1 + len(others)


def test_what_was_measured_is_kept_and_the_oldest_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(calibrating, "MOST_KEPT", 2)
    specs = [request(n_train_envs=n) for n in (1, 2, 3)]
    for spec in specs:
        calibrating.keep(tmp_path, spec, measured())
        time.sleep(0.02)
    assert calibrating.kept(tmp_path, specs[0]) is None
    assert calibrating.kept(tmp_path, specs[2]) == measured()
    path = next((tmp_path / calibrating.FOLDER).glob(f"{key_of(specs[2])}*"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "start_s": -1}))
    assert calibrating.kept(tmp_path, specs[2]) is None


@pytest.mark.parametrize(
    ("algorithm", "asked", "expected"),
    [
        ("PPO", {"n_steps": 2048, "batch_size": 64}, {"n_steps": 256, "batch_size": 64}),
        ("PPO", {"n_steps": 2048, "batch_size": 1024}, {"n_steps": 1024}),
        ("PPO", {"n_steps": 32, "batch_size": 8}, {"n_steps": 32}),
        ("A2C", {"n_steps": 1024}, {"n_steps": 1024}),
        ("TRPO", {"n_steps": 2048}, {"n_steps": 2048}),
        ("SAC", {"train_freq": 256, "gradient_steps": 128, "learning_starts": 10_000},
         {"train_freq": 16, "gradient_steps": 8, "learning_starts": 128}),
        ("SAC", {"train_freq": 512, "gradient_steps": 1}, {"train_freq": 512, "gradient_steps": 1}),
        ("SAC", {"train_freq": 64, "gradient_steps": -1}, {"train_freq": 16, "gradient_steps": -1}),
        ("TD3", {"train_freq": 1, "gradient_steps": 1}, {"train_freq": 1, "gradient_steps": 1}),
        ("ARS", {"n_delta": 8, "n_top": 4}, {"n_delta": 8}),
    ],
)  # fmt: skip
def test_trainings_are_shortened_where_a_step_costs_the_same(algorithm, asked, expected):
    space = [{"name": "learning_rate", "kind": "float", "low": 1e-4, "high": 1e-2, "log": True}]
    spec = request(algorithm=algorithm, hyperparameters=asked, search_space=space)
    resolved = resolve_configuration(spec, {"learning_rate": 1e-3})
    short = shortened(spec, resolved)
    assert {name: short[name] for name in expected} == expected
    assert {name: short[name] for name in asked if name not in expected} == {
        name: asked[name] for name in asked if name not in expected
    }


def test_what_was_measured_in_words():
    calibration = measured(together=(cost(0), cost(1)), n_together=2, busy_cores=1.24)
    told = study_time(request(), calibration)
    assert "about 4.2 s alone on a core: 71% learning, 24% acting and the environment, 5% starting." in (
        trial_sentence(told)
    )
    said = basis_sentence(calibration, now=1120.0)
    assert "Measured on this machine 2 min ago: 2 configurations, alone and 2 at a time." in said
    assert "Other work kept 1.2 of 4 cores busy" in said
    assert slowdown_sentence(told, calibration) == "2 workers do not slow each other."
    slow = measured(together=(cost(0, collect=8e-4),), n_together=3)
    assert "Beside 2 others each worker takes 2.75 times as long" in slowdown_sentence(
        study_time(request(), slow), slow
    )
    assert slowdown_sentence(told, measured()) == ""


def test_more_workers_than_were_measured_are_not_covered(monkeypatch):
    monkeypatch.setattr("tuning.calibration.usable_cores", lambda: 8)
    assert covers(measured(n_together=2), request(n_workers=2))
    assert not covers(measured(n_together=2), request(n_workers=3))


def test_an_env_step_costs_its_rollout_and_its_update_without_the_warm_up():
    begun = [(0.0, 0), (1.0, 100), (9.0, 200), (12.0, 300), (15.0, 400)]
    ended = [(0.9, 100), (2.0, 200), (10.0, 300), (13.0, 400)]
    assert step_costs(begun, ended, 0) == {
        "random_step_s": None,
        "collect_step_s": pytest.approx(3.0 / 300),
        "update_step_s": pytest.approx(11.0 / 300),
    }
    assert step_costs(begun, ended, 100) == {
        "random_step_s": pytest.approx(0.01),
        "collect_step_s": pytest.approx(2.0 / 200),
        "update_step_s": pytest.approx(4.0 / 200),
    }
    assert step_costs(begun[:2], ended[:1], 0)["update_step_s"] == pytest.approx(0.001)
    only = step_costs([(0.0, 0)], [(2.0, 100)], 0)  # the time was up within the first rollout
    assert (only["collect_step_s"], only["update_step_s"]) == (pytest.approx(0.02), 0.0)

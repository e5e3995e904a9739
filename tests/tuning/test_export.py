"""What a person takes home, read back and really run."""

import ast
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial

from storage.trials import RESOLVED, RUN, TIMESTEPS, TRAINER
from tuning import export, launch, worker
from tuning.export import ExportError
from tuning.spec import build_spec
from tuning.spec_parts import EnvSpec

ROOT = Path(__file__).resolve().parents[2]
STORED = {"n_steps_pow": 8, "gamma": 0.97071, "learning_rate": 5e-5, "activation_fn": "relu"}


def spec_of(**fields):
    base = {"name": "story", "env": {"id": "Pendulum-v1"}, "search_space": "starter", "n_train_envs": 5}
    return build_spec({**base, **fields})


def trial_of(spec, stored, *, value=-198.25, state=TrialState.COMPLETE, **user_attrs):
    distributions = {p.name: p.distribution() for p in spec.search_space if p.name in stored}
    return create_trial(
        state=state,
        value=value if state == TrialState.COMPLETE else None,
        params=stored,
        distributions=distributions,
        user_attrs=user_attrs,
    )


STORY = spec_of()
TRIAL = trial_of(STORY, STORED)


@pytest.mark.parametrize(("maximize", "expected"), [(True, 2.0), (False, 1.0)])
def test_best_trial_is_complete_and_finite(maximize, expected):
    values = [1.0, 2.0, float("inf"), 2.0, -float("inf")]
    trials = [create_trial(value=v) for v in values] + [create_trial(state=TrialState.FAIL)]
    for number, trial in enumerate(trials):
        trial.number = number
    best = export.best_trial(trials, maximize=maximize)
    assert best.value == expected
    assert best.number == (1 if maximize else 0)  # the earlier of the tied ones


def test_no_best_trial_without_a_complete_one():
    pruned = create_trial(state=TrialState.PRUNED, intermediate_values={1: 5.0})
    assert export.best_trial([], maximize=True) is None
    assert export.best_trial([pruned, create_trial(state=TrialState.FAIL)], maximize=True) is None


def test_configuration_is_the_recorded_one_or_else_resolved():
    resolved = {
        "n_steps": 256,
        "gamma": 0.97071,
        "learning_rate": 5e-5,
        "policy_kwargs": {"activation_fn": "relu"},
    }
    assert export.configuration(STORY, TRIAL) == resolved
    recorded = {**resolved, "n_steps": 128}
    assert export.configuration(STORY, trial_of(STORY, STORED, resolved=recorded)) == recorded
    with pytest.raises(ExportError, match="no complete configuration"):
        export.configuration(STORY, create_trial(state=TrialState.FAIL))


def test_yaml_in_the_layout_of_rl_zoo():
    text = export.to_yaml(STORY, TRIAL)
    assert text == (
        "# PPO on Pendulum-v1: trial -1 of story, mean return -198.25 in the search\n"
        "Pendulum-v1:\n"
        "  n_envs: 5\n"
        "  n_timesteps: !!float 4e4\n"
        "  policy: MlpPolicy\n"
        "  n_steps: 256\n"
        "  gamma: 0.97071\n"
        "  learning_rate: 5.0e-05\n"
        '  policy_kwargs: "dict(activation_fn=nn.ReLU)"\n'
    )
    entry = yaml.safe_load(text)["Pendulum-v1"]
    assert entry["learning_rate"] == 5e-5
    assert entry["n_timesteps"] == 40_000.0


@pytest.mark.parametrize("n", [1, 7, 10, 40_000, 40_960, 1_000_000, 123_456_789])
def test_budgets_are_read_back_exactly(n):
    assert yaml.safe_load(f"!!float {export._scientific(n)}") == float(n)


def test_yaml_of_nets_env_arguments_and_nulls():
    spec = spec_of(
        env={"id": "Pendulum-v1", "kwargs": {"g": 9.81, "name": "it's"}},
        hyperparameters={
            "clip_range_vf": None,
            "policy_kwargs.net_arch": {"pi": [64], "vf": [64]},
            "use_sde": True,
        },
    )
    text = export.to_yaml(spec, trial_of(spec, STORED))
    entry = yaml.safe_load(text)["Pendulum-v1"]
    assert entry["policy_kwargs"] == "dict(net_arch=dict(pi=[64], vf=[64]), activation_fn=nn.ReLU)"
    assert entry["use_sde"] is True
    assert "clip_range_vf" not in entry
    assert "--env-kwargs g:9.81" in text.splitlines()[1]


def test_a_study_by_the_clock_exports_the_steps_that_the_trial_came_to():
    spec = spec_of(budget={"trial_seconds": 90}, objective={"n_seeds": 2})
    trial = trial_of(spec, STORED, **{TIMESTEPS: 123_401})
    note = "# The clock ended the trial's training after 1 min 30 s, which were 61700 steps.\n"
    assert note in export.to_yaml(spec, trial)
    assert "!!float 6.17e4\n" in export.to_yaml(spec, trial)
    assert f"{note}model.learn(total_timesteps=61_700)" in export.to_python(spec, trial)
    record = json.loads(export.to_json(spec, trial))
    assert (record["n_timesteps"], record["trial_seconds"]) == (61_700, 90)
    unknown = trial_of(spec, STORED, **{TIMESTEPS: "1"})
    assert "the trial recorded no steps" in export.to_yaml(spec, unknown)
    assert json.loads(export.to_json(spec, unknown))["n_timesteps"] == 40_000
    assert "clock" not in export.to_python(STORY, TRIAL)


def test_a_replay_buffer_is_no_larger_than_what_is_collected():
    spec = spec_of(algorithm="SAC", search_space="learning-rate-only", n_train_envs=3)
    trial = trial_of(spec, {"learning_rate": 1e-3})
    entry = yaml.safe_load(export.to_yaml(spec, trial))["Pendulum-v1"]
    assert entry["buffer_size"] == 40_003
    script = export.to_python(spec, trial)
    ast.parse(script)
    assert "    # buffer_size: as many as are collected" in script
    assert "    buffer_size=40003,\n" in script
    small = spec_of(
        algorithm="SAC", search_space="learning-rate-only", hyperparameters={"buffer_size": 10_000}
    )
    assert "    buffer_size=10000,\n" in export.to_python(small, trial)
    assert "# buffer_size" not in export.to_python(small, trial)
    assert "buffer_size" not in export.to_yaml(STORY, TRIAL)


def test_json_has_all_that_is_needed():
    trial = trial_of(STORY, STORED, run={"train_seed": 12, "eval_seed": 8_001})
    record = json.loads(export.to_json(STORY, trial))
    assert record["hyperparameters"]["n_steps"] == 256
    assert record["stored"] == STORED
    assert (record["train_seed"], record["eval_seed"], record["value"]) == (12, 8_001, -198.25)


@pytest.mark.parametrize(
    "resolved",
    [
        {"gamma": "0.9); import os; os.system('touch canary'); (0"},
        {"gamma=1, **__import__('os').environ": 1},
        {"__import__('os')": 1},
        {"policy_kwargs": {"activation_fn": "__import__('os').system"}},
        {"policy_kwargs": {"net_arch": ["__import__('os')"]}},
        {"policy_kwargs": {"net_arch": {"pi=[64])) or x((": [1]}}},
        {"policy_kwargs": "dict()"},
        {"gamma": float("nan")},
        {"gamma": float("inf")},
        {"n_steps": True},
        {"seed": 3},
    ],
)
@pytest.mark.parametrize("write", [export.to_yaml, export.to_python, export.to_json])
def test_hostile_records_are_refused(resolved, write):
    with pytest.raises(ExportError):
        write(STORY, trial_of(STORY, STORED, **{RESOLVED: resolved}))


def test_parameters_that_json_does_not_know():
    recorded = {"n_steps": 64}
    trial = create_trial(value=1.0, user_attrs={RESOLVED: recorded})
    trial.params = {"gamma": float("nan")}
    with pytest.raises(ExportError, match="JSON does not know"):
        export.to_json(STORY, trial)


def test_text_of_the_spec_stays_text():
    nasty = "'\"\"\"; print('hacked')\n#"
    spec = spec_of(env={"id": "Pendulum-v1", "kwargs": {"name": nasty, "nested": [{nasty: None}]}})
    tree = ast.parse(export.to_python(spec, trial_of(spec, STORED)))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    kwargs = next(k.value for c in calls for k in c.keywords if k.arg == "env_kwargs")
    assert ast.literal_eval(kwargs) == spec.env.kwargs
    assert sum(ast.unparse(call.func) == "print" for call in calls) == 1
    text = export.to_yaml(spec, trial_of(spec, STORED))
    assert list(yaml.safe_load(text)) == ["Pendulum-v1"]
    json.loads(export.to_json(spec, trial_of(spec, STORED)))


@pytest.mark.parametrize("end", ["\n", "\r", "\x85", "\u2028", "\u2029"])
def test_a_comment_ends_with_its_line_whatever_a_name_holds(end):
    name = f"a{end}Pendulum-v1:{end}  policy_kwargs: dict(x=print(1)){end}# "
    env = EnvSpec.model_construct(id="Pendulum-v1", kwargs={name: 1})  # a spec refuses it
    spec = STORY.model_copy(update={"env": env})
    text = export.to_yaml(spec, trial_of(spec, STORED))
    assert "print(1)" not in str(yaml.safe_load(text))
    assert "print(1)" in text.split("\n")[1]


def test_hostile_seeds_are_not_written():
    trial = trial_of(STORY, STORED, **{RUN: {"train_seed": "1; import os", "eval_seed": 3}})
    script = export.to_python(STORY, trial)
    assert "import os" not in script
    assert "SEED = 0" in script


def test_a_package_of_environments_is_imported(monkeypatch):
    monkeypatch.setenv("EDGEWISE_ENV_PACKAGES", "my_envs, their.envs")
    own = spec_of(env={"id": "Mine-v0"})
    assert "import my_envs  # registers" in export.to_python(own, trial_of(own, STORED))
    assert "my_envs" not in export.to_python(STORY, TRIAL)


def test_the_script_runs_as_it_is(tmp_path):
    spec = spec_of(
        name="tiny",
        env={"id": "CartPole-v1", "kwargs": {"sutton_barto_reward": True}},
        hyperparameters={"n_steps": 64, "n_epochs": 2, "policy_kwargs.net_arch": {"pi": [8], "vf": [8]}},
        search_space=[
            {"name": "one_minus_gamma", "kind": "float", "low": 1e-3, "high": 0.1, "transform": "1 - x"},
            {
                "name": "activation_fn",
                "kind": "categorical",
                "choices": ["tanh", "elu"],
                "transform": "activation_fn",
            },
        ],
        n_train_envs=2,
        budget={"n_timesteps": 256, "n_eval_episodes": 3},
    )
    trial = trial_of(
        spec, {"one_minus_gamma": 0.02, "activation_fn": "elu"}, run={"train_seed": 5, "eval_seed": 8_123}
    )
    (tmp_path / "best.py").write_text(export.to_python(spec, trial))
    ran = subprocess.run(
        [sys.executable, "best.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert "mean return" in ran.stdout
    assert (tmp_path / "tiny-trial--1.zip").is_file()


def test_the_script_repeats_a_trial_of_the_fast_kernels_but_for_rounding(
    runs_dir, fault_spec, monkeypatch, capsys, tmp_path
):
    spec = fault_spec(env={"id": "Pendulum-v1"}, defaults_first=False, tuned_first=False)
    folder = launch.create_study(spec, runs_dir)
    monkeypatch.setattr(worker, "_storages", {})
    worker.run_trial(worker.Task(str(folder.path), spec, index=0, alone=True))
    (trial,) = launch.read_run(folder).study.trials
    assert trial.user_attrs[TRAINER] == {"name": "fast"}
    script = tmp_path / "again.py"
    script.write_text(export.to_python(spec, trial))
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    again = runpy.run_path(str(script))
    assert again["mean"] == pytest.approx(trial.value, rel=1e-4)  # eight updates: hardly any rounding yet
    assert again["__doc__"].startswith("PPO on Pendulum-v1: trial 0 of tiny, mean return ")
    assert "Fast kernels trained the trial" in again["__doc__"]
    assert "Fast kernels" not in export.to_python(STORY, TRIAL)


def test_a_study_that_is_not_ours_exports_its_values():
    written = json.loads(export.values_json("<b>theirs</b>", TRIAL))
    assert written == {"study": "<b>theirs</b>", "trial": TRIAL.number, "value": -198.25, "params": STORED}


def test_a_value_that_json_does_not_know_is_refused():
    odd = CategoricalDistribution([float("nan"), 1.0])
    trial = create_trial(value=1.0, params={"x": float("nan")}, distributions={"x": odd})
    with pytest.raises(ExportError, match="holds a value that JSON does not know"):
        export.values_json("theirs", trial)


@pytest.mark.parametrize(
    ("algorithm", "env", "space", "fixed"),
    [
        ("SAC", "Pendulum-v1", "sac-for-speed", {"noise_type": "normal", "noise_std": 0.2}),
        ("DQN", "CartPole-v1", "rl-zoo", {}),
    ],
)
def test_a_real_trial_that_replays_steps_is_repeated_by_its_script(
    algorithm, env, space, fixed, runs_dir, fault_spec, monkeypatch, tmp_path
):
    narrow = {  # as the space is, but quick
        "batch_size_pow": {"low": 4, "high": 5, "log": False},
        "gradient_steps_pow": {"low": 0, "high": 1},
        "net_arch_complexity": {"low": 0, "high": 1},
        "net_arch": {"choices": ["small", "medium"]},
    }
    rows = [
        p.model_dump() | narrow.get(p.name, {})
        for p in spec_of(algorithm=algorithm, search_space=space).search_space
    ]
    spec = fault_spec(
        algorithm=algorithm,
        env={"id": env},
        search_space=rows,
        hyperparameters={"learning_starts": 50, **fixed},
        budget={"n_trials": 1, "n_timesteps": 240, "n_evaluations": 2, "n_eval_episodes": 2},
        defaults_first=False,
        tuned_first=False,
    )
    folder = launch.create_study(spec, runs_dir)
    monkeypatch.setattr(worker, "_storages", {})
    worker.run_trial(worker.Task(str(folder.path), spec, index=0, alone=True))
    (trial,) = launch.read_run(folder).study.trials
    assert trial.state == TrialState.COMPLETE
    assert trial.user_attrs[TRAINER]["name"] == "sb3"
    script = tmp_path / "again.py"
    script.write_text(export.to_python(spec, trial))
    monkeypatch.chdir(tmp_path)
    assert runpy.run_path(str(script))["mean"] == trial.value
    entry = yaml.safe_load(export.to_yaml(spec, trial))[env]
    assert {name: entry[name] for name in fixed} == fixed
    assert entry["gradient_steps"] == trial.user_attrs[RESOLVED]["gradient_steps"]


def test_rl_zoo_has_no_word_for_no_noise():
    spec = spec_of(algorithm="TD3", search_space="rl-zoo")
    lowest = {p.name: int(p.low) if p.kind == "int" else p.low for p in spec.search_space}
    stored = lowest | {p.name: p.choices[-1] for p in spec.search_space if p.choices}
    assert stored["noise_type"] == "none"
    text = export.to_yaml(spec, trial_of(spec, stored))
    assert "noise" not in text
    assert "noise" not in export.to_python(spec, trial_of(spec, stored))

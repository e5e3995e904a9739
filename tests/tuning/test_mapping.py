"""Studies that are not ours, mapped to what trains them."""

import json

import optuna
import pytest
from typer.testing import CliRunner

from tuning import launch
from tuning.__main__ import app
from tuning.mapping import complete_mapping, guess_mapping, mapped_spec, save_mapping
from tuning.opening import open_study
from tuning.reevaluation_jobs import find_reevaluations
from tuning.reevaluation_plan import ReevaluationError, plan_reevaluation

ZOO = {  # as RL Zoo stores a PPO trial
    "batch_size_pow": lambda t: t.suggest_int("batch_size_pow", 2, 10),
    "n_steps_pow": lambda t: t.suggest_int("n_steps_pow", 5, 12),
    "one_minus_gamma": lambda t: t.suggest_float("one_minus_gamma", 1e-4, 0.03, log=True),
    "learning_rate": lambda t: t.suggest_float("learning_rate", 1e-5, 2e-3, log=True),
    "clip_range": lambda t: t.suggest_categorical("clip_range", [0.1, 0.2, 0.3, 0.4]),
    "net_arch": lambda t: t.suggest_categorical("net_arch", ["tiny", "small", "medium"]),
    "activation_fn": lambda t: t.suggest_categorical("activation_fn", ["tanh", "relu"]),
}


@pytest.fixture
def opened(tmp_path, runs_dir):
    """Open a study that somebody else's script wrote."""

    def make(space=ZOO, n=6, direction="maximize"):
        path = tmp_path / f"{len(list(tmp_path.glob('*.log')))}.log"
        storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
        study = optuna.create_study(
            storage=storage,
            study_name="ppo",
            direction=direction,
            sampler=optuna.samplers.RandomSampler(seed=1),
        )
        for number in range(n):
            trial = study.ask()
            for suggest in space.values():
                suggest(trial)
            study.tell(trial, -100.0 - number)
        return launch.read_run(open_study(path, None, runs_dir))

    return make


def guess(run, **over):
    fields = {"env_id": "Pendulum-v1", "n_timesteps": 1000, "n_train_envs": 2, **over}
    return guess_mapping(run, **fields)


def test_what_rl_zoo_stores_is_guessed_with_ranges_and_transforms(opened):
    run = opened()
    draft = guess(run)
    assert draft.unknown == draft.faults == ()
    found = {p.name: (p.target, p.transform, p.low, p.high, p.log) for p in draft.spec.search_space}
    assert found == {
        "batch_size_pow": ("batch_size", "2^x", 2, 10, False),
        "n_steps_pow": ("n_steps", "2^x", 5, 12, False),
        "one_minus_gamma": ("gamma", "1 - x", 1e-4, 0.03, True),
        "learning_rate": ("learning_rate", "identity", 1e-5, 2e-3, True),
        "clip_range": ("clip_range", "identity", None, None, False),
        "net_arch": ("policy_kwargs.net_arch", "net_arch", None, None, False),
        "activation_fn": ("policy_kwargs.activation_fn", "activation_fn", None, None, False),
    }
    assert draft.spec.parameter("clip_range").choices == (0.1, 0.2, 0.3, 0.4)
    assert (draft.spec.budget.n_timesteps, draft.spec.n_train_envs) == (1000, 2)
    assert draft.spec.maximize


def test_a_mapped_study_can_be_re_evaluated(opened):
    run = opened(n=5)
    with pytest.raises(ReevaluationError, match="nobody knows how to train for it"):
        plan_reevaluation(run)
    assert mapped_spec(run) is None
    save_mapping(run.folder, guess(run).spec)
    assert mapped_spec(run) == mapped_spec(run.folder) == guess(run).spec
    planned = plan_reevaluation(run, top=2, n_seeds=3)
    first = planned.question.candidates[0]
    stored = run.study.trials[0].params
    assert (first.key, first.search_value) == ("trial 0", -100.0)
    assert first.resolved["n_steps"] == 2 ** stored["n_steps_pow"]
    assert first.resolved["gamma"] == 1 - stored["one_minus_gamma"]
    assert first.resolved["policy_kwargs"]["activation_fn"] == stored["activation_fn"]
    with pytest.raises(ReevaluationError, match="No policy of these candidates was kept"):
        plan_reevaluation(run, mode="weights")


def test_a_damaged_mapping_is_said_so_and_can_be_replaced(opened):
    run = opened()
    run.folder.mapping.write_text('{"env": 3}')
    with pytest.raises(ReevaluationError, match=r"cannot be read: .* Map it again"):
        plan_reevaluation(run)
    save_mapping(run.folder, guess(run).spec)
    assert plan_reevaluation(run).plan.env.id == "Pendulum-v1"


def test_a_discount_that_is_stored_as_its_distance_to_one_is_recognised(opened):
    run = opened({"gamma": lambda t: t.suggest_float("gamma", 1e-4, 0.1, log=True)})
    (p,) = guess(run).parameters
    assert (p.parameter.target, p.parameter.transform) == ("gamma", "1 - x")
    assert "Taken for 1 - gamma, as it ranges from 1e-4 to 0.1." in p.note
    (p,) = guess(run, overrides={"gamma": {"transform": "identity"}}).parameters
    assert p.parameter.transform == "identity"


ODD = {
    "lr": lambda t: t.suggest_float("lr", 1e-5, 1e-3, log=True),
    "exponent_n_steps": lambda t: t.suggest_int("exponent_n_steps", 3, 10),
    "frame_stack": lambda t: t.suggest_int("frame_stack", 1, 4),
    "net <b>": lambda t: t.suggest_categorical("net <b>", ["a", "b"]),
    "net_arch": lambda t: t.suggest_categorical("net_arch", ["small", "huge"]),
}


def test_what_nobody_can_guess_is_named_and_can_be_overridden_or_left_out(opened):
    run = opened(ODD)
    draft = guess(run)
    assert draft.unknown == ("frame_stack", "net <b>", "net_arch")
    notes = {p.name: p.note for p in draft.parameters}
    assert notes["frame_stack"] == "Nobody could guess what it sets in PPO."
    assert "'huge'" in notes["net_arch"]
    assert {p.target for p in draft.spec.search_space} == {"learning_rate", "n_steps"}
    draft = guess(run, overrides={"frame_stack": {"target": "n_epochs"}, "net_arch": None})
    assert draft.unknown == ("net <b>", "net_arch")
    assert draft.spec.parameter("frame_stack").target == "n_epochs"
    save_mapping(run.folder, draft.spec)
    assert "The mapping leaves out 'net <b>' and 'net_arch'" in plan_reevaluation(run, n_seeds=3).words


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"algorithm": "SARSA"}, "There is no algorithm 'SARSA'"),
        ({"n_timesteps": 0}, "n_timesteps"),
        ({"policy": "MyPolicy"}, "`policy` must be one of"),
        ({"overrides": dict.fromkeys(ZOO)}, "`search_space` is empty"),
        ({"overrides": {"clip_range": {"target": "gama"}}}, "does not have. Did you mean `gamma`"),
    ],
)
def test_a_mapping_that_makes_no_sense_says_why(opened, over, said):
    draft = guess(opened(), **over)
    assert draft.spec is None
    assert any(said in fault for fault in draft.faults)


def test_a_spec_file_s_data_is_completed_from_the_study(opened):
    run = opened(direction="minimize")
    draft = complete_mapping(run, {"env": {"id": "Pendulum-v1"}, "budget": {"n_timesteps": 500}})
    assert len(draft.spec.search_space) == len(ZOO)
    assert (draft.spec.maximize, draft.spec.budget.n_trials) == (False, 6)
    only = [{"name": "learning_rate", "kind": "float", "low": 1e-5, "high": 2e-3, "log": True}]
    draft = complete_mapping(run, {"env": {"id": "Pendulum-v1"}, "search_space": only})
    assert len(draft.unknown) == len(ZOO) - 1


def here(*arguments):
    result = CliRunner().invoke(app, ["reevaluate", *map(str, arguments)], prog_name="python -m tuning")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_from_the_command_line_by_environment_or_by_file(opened, monkeypatch, tmp_path):
    monkeypatch.setattr(launch, "start", lambda folder: None)
    run = opened()
    result = here(run.folder.id, "--top", 1)
    assert result.exit_code == 2
    assert "give --env and --timesteps, or --map" in result.output
    result = here(
        run.source.path, "--env", "Pendulum-v1", "--timesteps", 900, "--train-envs", 2, "--budget", 2
    )
    assert result.exit_code == 0, result.output
    assert "one_minus_gamma sets gamma by 1 - x." in result.output
    (job,) = find_reevaluations(run.folder)
    assert (job.question.n_timesteps, job.question.study_timesteps) == (1800, 900)
    file = tmp_path / "spec.yaml"
    file.write_text(json.dumps({"env": {"id": "Pendulum-v1"}, "budget": {"n_timesteps": 700}}))
    assert here(run.folder.id, "--map", file, "--no-defaults").exit_code == 0
    assert find_reevaluations(run.folder)[0].plan.n_timesteps == 700


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--env", "Pendulum-v1"), "--env needs --timesteps"),
        (("--env", "Pendulum-v1", "--timesteps", 9, "--map", "x.yaml"), "exclude each other"),
        (("--env", "Pendulm-v1", "--timesteps", 9), "Did you mean Pendulum-v1"),
        (("--map", "no.yaml"), "no.yaml cannot be read"),
    ],
)
def test_what_the_command_line_cannot_map_is_said(opened, options, said):
    run = opened()
    result = here(run.folder.id, *options)
    assert result.exit_code == 2
    assert said in result.output
    assert not run.folder.mapping.exists()


def test_a_study_with_parameters_that_nobody_can_guess_needs_a_file(opened):
    result = here(opened(ODD).folder.id, "--env", "Pendulum-v1", "--timesteps", 900)
    assert result.exit_code == 2
    assert "frame_stack: Nobody could guess what it sets in PPO." in result.output
    assert "give it with --map" in result.output


ZOO_SAC = {  # as RL Zoo stores a SAC trial, and the author's learned coefficient
    "train_freq": lambda t: t.suggest_int("train_freq", 1, 10),
    "tau": lambda t: t.suggest_float("tau", 1e-3, 0.08, log=True),
    "ent_coef_init": lambda t: t.suggest_float("ent_coef_init", 1e-3, 0.02, log=True),
    "net_arch": lambda t: t.suggest_categorical("net_arch", ["small", "medium", "big"]),
}


def test_what_rl_zoo_stores_of_an_algorithm_that_replays_steps(opened):
    draft = guess(opened(ZOO_SAC), algorithm="SAC")
    assert draft.unknown == draft.faults == ()
    assert {p.name: (p.target, p.transform) for p in draft.spec.search_space} == {
        "train_freq": ("train_freq", "identity"),
        "tau": ("tau", "identity"),
        "ent_coef_init": ("ent_coef", "auto_x"),
        "net_arch": ("policy_kwargs.net_arch", "off_policy_net_arch"),
    }
    assert draft.spec.hyperparameters == {"gradient_steps": -1}, "RL Zoo does as many as it collects steps"
    notes = {p.name: p.note for p in draft.parameters}
    assert "big [400, 300]" in notes["net_arch"]
    assert "learned ent_coef starts" in notes["ent_coef_init"]

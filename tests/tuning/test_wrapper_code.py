"""What is written for plain Stable-Baselines3 repeats the training, and plays as the kept policy does."""

import ast
import re
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from gymnasium import spaces
from optuna.trial import create_trial
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

from storage.artifacts import KeptPolicy
from storage.trials import RESOLVED, RUN
from tests.tuning.test_env_wrappers import Seen
from tests.tuning.test_normalization import BOTH, NETS, SMALL, trained_in
from tuning.acting import Acting
from tuning.card_text import _usage
from tuning.env_wrappers import make_wrapped
from tuning.export import to_json, to_python, to_yaml
from tuning.export_zip import write_model_zip
from tuning.normalization import from_arrays
from tuning.policy import policy_arrays
from tuning.spec import build_spec
from tuning.spec_parts import EnvSpec, wrappers_text
from tuning.vec_normalize import normalized
from tuning.wrapper_code import judged_lines, playing_lines, wrapper_imports, wrapper_lines

SEEDS = {"train_seed": 3, "eval_seed": 8000}
TRIAL = create_trial(value=-1, user_attrs={RESOLVED: {**SMALL, **NETS}, RUN: SEEDS})


@pytest.fixture(scope="module")
def trained():
    return trained_in(BOTH, trainer="sb3")


@pytest.fixture
def spec():
    return build_spec(
        {
            "env": BOTH.record(),
            "search_space": "starter",
            "n_train_envs": 2,
            "n_eval_envs": 2,
            "budget": {"n_timesteps": 192, "n_eval_episodes": 4},
        }
    )


def test_the_script_trains_and_judges_in_the_same_wrappers(spec, trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(to_python(spec, TRIAL).replace("verbose=1", "verbose=0"), "script.py", "exec"), names)
    _, found = trained
    assert names["mean"] == pytest.approx(found.evaluation.result.mean, rel=1e-9)
    np.testing.assert_array_equal(names["env"].obs_rms.mean, found.normalization.observations[""].mean)
    saved = sorted(p.name for p in tmp_path.iterdir())
    assert saved == ["study-trial--1-vecnormalize.pkl", "study-trial--1.zip"]


def test_the_zip_has_the_statistics_and_the_snippet_uses_them(spec, trained, tmp_path, monkeypatch, capsys):
    training, found = trained
    request = {
        "env": training.env.record(),
        "algorithm": "PPO",
        "policy": "MlpPolicy",
        "resolved": training.resolved,
        "n_train_envs": 2,
        "train_seed": 3,
        "timesteps": 192,
    }
    kept = KeptPolicy(policy_arrays(found.model.policy), request, found.normalization.arrays())
    write_model_zip(kept, tmp_path / "ppo.zip")
    PPO.load(tmp_path / "ppo.zip", device="cpu")
    with zipfile.ZipFile(tmp_path / "ppo.zip") as archive, archive.open("normalization.npz") as file:
        statistics = from_arrays(dict(np.load(file, allow_pickle=False)))
    np.testing.assert_array_equal(statistics.observations[""].var, found.normalization.observations[""].var)

    np.savez(tmp_path / "normalization.npz", **kept.normalization)
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)\n```", _usage(SimpleNamespace(spec=spec, stem="ppo")), re.DOTALL)[1]
    exec(compile(code, "README.md", "exec"), {})
    acting = Acting(found.model.policy, make_wrapped(BOTH), found.normalization)
    acting.start(0)
    while not acting.has_ended:
        acting.step()
    assert float(capsys.readouterr().out) == pytest.approx(acting.total, rel=1e-5)


def test_rl_zoo_reads_the_wrappers(spec):
    text = to_yaml(spec, TRIAL)
    (entry,) = yaml.safe_load(text).values()
    assert entry["normalize"] == "dict(norm_obs=True, norm_reward=True)"
    assert (entry["frame_stack"], entry["env_wrapper"].rpartition(".")[2]) == (2, "TimeFeatureWrapper")
    assert "# RL Zoo normalises before it stacks frames" in text
    assert '"frame_stack": 2' in to_json(spec, TRIAL)


def test_observations_in_parts_are_normalised_by_name():
    env = EnvSpec(id="X-v0", normalize_observations=True)
    lines = [
        *wrapper_imports(env, "MultiInputPolicy"),
        *wrapper_lines(env, "MultiInputPolicy", gamma=0.9),
        *judged_lines(env, "MultiInputPolicy"),
        *playing_lines(env, "MultiInputPolicy", "n.npz"),
    ]
    ast.parse("\n".join(lines))
    assert sum("norm_obs_keys=keys" in line for line in lines) == 3


@pytest.mark.parametrize(("policy", "in_parts"), [("CnnPolicy", False), ("MultiInputPolicy", True)])
@pytest.mark.parametrize("shape", [(36, 40, 3), (3, 36, 40)])
def test_images_are_turned_before_rewards_are_normalised(policy, in_parts, shape):
    space = spaces.Box(0, 255, shape, np.uint8)
    space = spaces.Dict({"image": space, "n": spaces.Box(-1, 1, (2,))}) if in_parts else space
    spec = EnvSpec(id="X-v0", normalize_rewards=True)
    names = {"env": make_vec_env(lambda: Seen(space))}
    lines = [*wrapper_imports(spec, policy), *wrapper_lines(spec, policy, gamma=0.9)]
    exec(compile("\n".join(lines), "script.py", "exec"), names)
    ours, _ = normalized(*(make_vec_env(lambda: Seen(space)) for _ in range(2)), spec, gamma=0.9)
    assert names["env"].observation_space == ours.observation_space
    seen = ours.observation_space["image"] if in_parts else ours.observation_space
    assert seen.shape == (3, 36, 40)
    assert "VecTransposeImage" not in "".join(wrapper_imports(spec, policy, to_play=True))


def test_wrappers_in_words():
    assert (
        wrappers_text(BOTH) == "observations normalised, rewards normalised, 2 frames stacked, time feature"
    )
    assert wrappers_text(EnvSpec(id="X-v0")) == ""

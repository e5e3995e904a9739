"""Normalised envs train as under SB3's VecNormalize; a kept policy acts on its training's statistics."""

from types import SimpleNamespace

import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from storage.artifacts import NORMALIZATION, KeptPolicy, load_policy
from storage.paths import RunFolder
from tests.tuning.conftest import FAULT_ENVS
from tests.tuning.test_env_wrappers import Seen
from tuning.acting import Acting
from tuning.env_wrappers import make_wrapped
from tuning.evaluation import evaluate
from tuning.normalization import from_arrays, normalization_of
from tuning.policy import build_model, rebuild_policy
from tuning.spec_parts import EnvSpec
from tuning.training import Seeds, Training, keep_policy, make_envs, train
from tuning.training_callback import Diverged
from tuning.vec_normalize import normalized, statistics

BOTH = EnvSpec(
    id="Pendulum-v1",
    kwargs={"max_episode_steps": 40},
    normalize_observations=True,
    normalize_rewards=True,
    time_feature=True,
    frame_stack=2,
)
SMALL = {"learning_rate": 1e-2, "n_steps": 32, "batch_size": 16, "n_epochs": 2, "gamma": 0.9}
NETS = {"policy_kwargs": {"net_arch": [8]}}


class Silent:
    """A reporter that nobody reads, but for the episodes of training."""

    def __init__(self):
        self.timesteps, self.totals = 0, []

    def phase(self, name, *, passing=False): ...

    def evaluation(self, timesteps, mean, std): ...

    def episode(self, timesteps, total):
        self.totals.append(total)


def trained_in(env, algorithm="PPO", resolved=None, n_timesteps=192, reporter=None, trainer="auto"):
    training = Training(
        env=env,
        algorithm=algorithm,
        policy="MlpPolicy",
        resolved={**SMALL, **NETS} if resolved is None else resolved,
        seeds=Seeds(3, 8000),
        n_train_envs=2,
        n_timesteps=n_timesteps,
        marks=(n_timesteps // 2, n_timesteps),
        n_eval_envs=2,
        n_eval_episodes=4,
        trainer=trainer,
    )
    found = train(
        training,
        on_evaluation=lambda _: None,
        reporter=reporter or Silent(),
        control=SimpleNamespace(stop_kind=None),
    )
    return training, found


@pytest.fixture(scope="module")
def ppo():
    reporter = Silent()
    return *trained_in(BOTH, reporter=reporter), reporter


def plain_normalized(n_envs, seed, **options):
    """The same envs by SB3's own vectorised env."""
    env = make_vec_env(lambda: make_wrapped(BOTH), n_envs=n_envs, seed=seed, vec_env_cls=DummyVecEnv)
    return VecNormalize(env, **options)


def test_fast_kernels_train_as_sb3_does_under_vec_normalize(ppo):
    _, trained, _ = ppo
    assert trained.trainer.name == "fast"
    env = plain_normalized(2, 3, gamma=0.9)
    model = build_model("PPO", "MlpPolicy", env, {**SMALL, **NETS}, seed=3)
    assert type(model) is PPO
    model.learn(192)
    for name, tensor in model.policy.state_dict().items():
        ours = trained.model.policy.state_dict()[name].numpy()
        np.testing.assert_allclose(ours, tensor.numpy(), rtol=1e-3, atol=1e-4, err_msg=name)
    ours = trained.normalization
    np.testing.assert_allclose(ours.observations[""].mean, env.obs_rms.mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.returns.var, env.ret_rms.var, rtol=1e-3)
    assert ours.observations[""].count == env.obs_rms.count


def test_returns_are_those_of_the_environment(ppo):
    training, trained, reporter = ppo
    # Pendulum's 40 steps cost up to 16 each; normalised rewards are clipped and of the order of 1
    assert all(total < -50 for total in [*reporter.totals, *trained.evaluation.result.returns])
    judge = plain_normalized(2, 8000, training=False, norm_reward=False)
    judge.obs_rms.mean, judge.obs_rms.var = (
        getattr(trained.normalization.observations[""], name) for name in ("mean", "var")
    )
    again = evaluate(trained.model, judge, n_episodes=4, seed=training.seeds.evaluation)
    assert again.returns == trained.evaluation.result.returns


def test_a_kept_policy_acts_on_the_statistics_of_its_training(ppo, tmp_path):
    training, trained, _ = ppo
    folder = RunFolder(tmp_path)
    keep_policy(folder, 0, training, trained)
    kept = load_policy(folder, 0)
    assert EnvSpec.model_validate(kept.request["env"]) == BOTH
    with np.load(folder.weights / "0" / NORMALIZATION, allow_pickle=False) as data:
        assert data["mean"].shape == (8,)
    policy, env, normalization = rebuild_policy(kept), make_wrapped(BOTH), normalization_of(kept)
    acting = Acting(policy, env, normalization)
    judge = plain_normalized(1, 5, training=False, norm_reward=False)
    judge.obs_rms.mean, judge.obs_rms.var = (
        getattr(normalization.observations[""], n) for n in ("mean", "var")
    )
    judge.seed(5)
    seen, total = judge.reset(), 0.0
    acting.start(5)
    while not acting.has_ended:
        acting.step()
        action, _ = trained.model.predict(seen, deterministic=True)
        seen, reward, *_ = judge.step(action)
        total += float(reward[0])
    assert acting.total == pytest.approx(total, rel=1e-6)
    bare = Acting(policy, make_wrapped(BOTH))
    bare.start(5)
    while not bare.has_ended:
        bare.step()
    assert bare.total != pytest.approx(total, rel=1e-6), "without the statistics it is another agent"


def test_a_policy_whose_statistics_are_gone_does_not_play(ppo):
    training, _, _ = ppo
    request = {"env": training.env.record()}
    with pytest.raises(ValueError, match="their statistics are gone"):
        normalization_of(KeptPolicy({}, request))
    with pytest.raises(ValueError, match="not whole"):
        normalization_of(KeptPolicy({}, request, {"mean": np.zeros(2)}))
    assert normalization_of(KeptPolicy({}, {"env": {"id": "Pendulum-v1", "kwargs": {}}})) is None


def test_rewards_alone():
    env = BOTH.model_copy(update={"normalize_observations": False})
    training, trained = trained_in(env, n_timesteps=64)
    assert trained.normalization.observations == {}
    assert trained.normalization.returns.count > 60
    kept = KeptPolicy({}, {"env": training.env.record()}, trained.normalization.arrays())
    assert normalization_of(kept) is None
    assert from_arrays(kept.normalization).returns.var == trained.normalization.returns.var


def test_an_off_policy_algorithm_learns_from_normalised_envs():
    resolved = {"learning_starts": 20, "batch_size": 8, "train_freq": 8, "gradient_steps": 2, **NETS}
    env = BOTH.model_copy(update={"frame_stack": 1})
    _, trained = trained_in(env, algorithm="SAC", resolved=resolved, n_timesteps=100)
    assert isinstance(trained.model, SAC)
    raw = trained.model.replay_buffer.observations[:30]
    assert np.abs(raw[..., 2]).max() > 1.5  # the buffer keeps the speeds as they are
    assert all(total < -50 for total in trained.evaluation.result.returns)


def test_an_off_policy_algorithm_replays_images_beside_normalised_rewards():
    space = spaces.Box(0, 255, (36, 40, 3), np.uint8)
    spec = EnvSpec(id="X-v0", normalize_rewards=True)
    env, _ = normalized(
        *(make_vec_env(lambda: Seen(space), n_envs=1, seed=s) for s in (0, 9)), spec, gamma=0.9
    )
    resolved = {"learning_starts": 4, "batch_size": 4, "policy_kwargs": {"net_arch": [8]}}
    model = build_model("DQN", "CnnPolicy", env, resolved, seed=0, n_timesteps=8).learn(8)
    assert model.replay_buffer.observations[0, 0].shape == (3, 36, 40)
    action, _ = model.predict(space.sample(), deterministic=True)  # as evaluations see them
    assert action in (0, 1)


@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(-5, 5, (3,)),
        spaces.Box(-5, 5, (2, 2), np.float64),
        spaces.Dict(
            {"a": spaces.Box(-5, 5, (3,)), "b.mean": spaces.Box(0, 9, (1,)), "n": spaces.Discrete(4)}
        ),
    ],
)
def test_statistics_apply_as_in_vec_normalize_and_survive_a_file(space, tmp_path):
    spec = EnvSpec(id="X-v0", normalize_observations=True)
    env, _ = normalized(
        *(make_vec_env(lambda: Seen(space), n_envs=2, seed=s) for s in (0, 9)), spec, gamma=0.9
    )
    env.reset()
    for _ in range(20):
        env.step(np.array([0, 1]))
    found = statistics(env)
    np.savez(tmp_path / "s.npz", **found.arrays())
    with np.load(tmp_path / "s.npz", allow_pickle=False) as data:
        again = from_arrays(dict(data))
    assert again.observations.keys() == found.observations.keys()
    assert (again.gamma, again.clip_observations) == (0.9, 10.0)
    seen = space.sample()
    ours, theirs = again.applied(seen), env.normalize_obs(seen)
    parts = [(ours, theirs)] if not isinstance(seen, dict) else [(ours[k], theirs[k]) for k in seen]
    for one, other in parts:
        np.testing.assert_array_equal(one, other)
        assert np.asarray(one).dtype == np.asarray(other).dtype
    # what was handed out is no view: training that goes on does not change it
    before = found.observations[next(iter(found.observations))].mean.copy()
    env.step(np.array([0, 1]))
    np.testing.assert_array_equal(found.observations[next(iter(found.observations))].mean, before)


def test_evaluation_shares_the_statistics_and_never_changes_them():
    outer, judged = normalized(make_envs(BOTH, 2, seed=0), make_envs(BOTH, 1, seed=9), BOTH, gamma=0.9)
    outer.reset()
    outer.step(np.zeros((2, 1)))
    count = outer.obs_rms.count
    assert judged.obs_rms is outer.obs_rms
    judged.reset()
    _, rewards, _, _ = judged.step(np.zeros((1, 1)))
    assert outer.obs_rms.count == count
    assert rewards[0] == judged.get_original_reward()[0]


def test_a_reward_that_is_no_number_still_counts_as_divergence(fault_envs, monkeypatch):
    monkeypatch.syspath_prepend(str(FAULT_ENVS))
    broken = EnvSpec(
        id="Edgewise/Fault-v0",
        kwargs={"fault": "nan", "after": 20},
        normalize_observations=True,
        normalize_rewards=True,
    )
    with pytest.raises(Diverged):
        trained_in(broken, n_timesteps=128)

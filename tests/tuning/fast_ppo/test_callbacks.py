"""Callbacks that meddle with training do the same to ours as to SB3's."""

import copy
import functools

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback

from tuning.fast_ppo import FastA2C, FastPPO

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

N_STEPS, N_ENVS = 16, 2
ACTIONS = {"continuous": spaces.Box(-1.0, 1.0, (2,), np.float32), "categorical": spaces.Discrete(3)}


class Restarts(BaseCallback):
    """Begins every rollout with new episodes."""

    def _on_rollout_start(self):
        self.model._last_obs = self.training_env.reset()
        self.model._last_episode_starts = np.ones(N_ENVS, bool)

    def _on_step(self):
        return True


class PutsWeightsBack(BaseCallback):
    """Returns to the first weights, and to the optimiser's first state, in the middle of each rollout."""

    def _on_training_start(self):
        self.first = copy.deepcopy(self.model.get_parameters())

    def _on_step(self):
        if self.n_calls % N_STEPS == 5:
            self.model.set_parameters(copy.deepcopy(self.first))
        return True


class LoadsWeights(BaseCallback):
    """Halves the weights in the middle of each rollout."""

    def _on_step(self):
        if self.n_calls % N_STEPS == 5:
            policy = self.model.policy
            policy.load_state_dict({name: value * 0.5 for name, value in policy.state_dict().items()})
        return True


class ForgetsMoments(BaseCallback):
    """Lets the optimiser start anew after every rollout."""

    def _on_rollout_end(self):
        self.model.policy.optimizer.state.clear()

    def _on_step(self):
        return True


class Stops(BaseCallback):
    """Ends training in the second rollout."""

    def _on_step(self):
        return self.n_calls < N_STEPS + 5


class Predicts(BaseCallback):
    """Asks the model about the newest observations, of all envs and of one, at random and not."""

    def _on_step(self):
        if self.n_calls % 7:
            return True
        observations = self.locals["new_obs"]
        for rows in (observations, observations[:1], observations[0], np.repeat(observations, 200, axis=0)):
            for deterministic in (True, False):
                actions, _ = self.model.predict(rows, deterministic=deterministic)
                assert np.isfinite(actions).all()
        return True


class ChangesRewards(BaseCallback):
    """Pays for the action, in place, as reward shapers do."""

    def _on_step(self):
        self.locals["rewards"] += self.locals["values"].numpy().ravel() + self.locals["log_probs"].numpy()
        return True


CALLBACKS = (Restarts, PutsWeightsBack, LoadsWeights, ForgetsMoments, Stops, Predicts, ChangesRewards)


@pytest.fixture(scope="module")
def learnt(build, toy_envs):
    def run(cls, action, callback):
        arguments = {"batch_size": 8, "n_epochs": 2} if issubclass(cls, PPO) else {}
        model = build(cls, toy_envs(action=ACTIONS[action], n_envs=N_ENVS), n_steps=N_STEPS, **arguments)
        model.learn(3 * N_STEPS * N_ENVS, callback=callback)
        return model

    return run


@pytest.fixture(scope="module")
def undisturbed(learnt, weights):
    """The weights after the same run without a callback."""
    return functools.cache(lambda cls, action: weights(learnt(cls, action, None)))


@pytest.mark.parametrize("classes", [(PPO, FastPPO), (A2C, FastA2C)], ids=["ppo", "a2c"])
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("callback", CALLBACKS, ids=lambda callback: callback.__name__)
def test_training_goes_the_same_way(
    callback, action, classes, learnt, undisturbed, weights, assert_equal_norm
):
    (theirs, ours), plain = (
        (learnt(cls, action, callback()) for cls in classes),
        learnt(classes[1], action, None),
    )
    assert ours.why_not_fast is None
    assert ours.num_timesteps == theirs.num_timesteps
    assert ours._n_updates == theirs._n_updates
    assert_equal_norm(weights(ours), weights(theirs), rtol=1e-5)  # rollouts start from rounded weights
    np.testing.assert_allclose(
        ours.rollout_buffer.rewards, theirs.rollout_buffer.rewards, rtol=1e-5, atol=1e-5
    )
    plain = undisturbed(classes[1], action)
    assert not np.allclose(weights(ours), plain, rtol=1e-5, atol=1e-6), "the callback did nothing"


@pytest.mark.parametrize("classes", [(PPO, FastPPO), (A2C, FastA2C)], ids=["ppo", "a2c"])
def test_a_stopped_run_can_be_taken_up_again(classes, learnt, weights, assert_equal_norm):
    theirs, ours = (learnt(cls, "continuous", Stops()) for cls in classes)
    for model in (theirs, ours):
        assert model.num_timesteps == N_ENVS * (N_STEPS + 5)
        torch.manual_seed(2)
        np.random.seed(2)
        model.learn(2 * N_STEPS * N_ENVS, reset_num_timesteps=False)
    assert ours.num_timesteps == theirs.num_timesteps
    assert_equal_norm(weights(ours), weights(theirs), rtol=1e-5)

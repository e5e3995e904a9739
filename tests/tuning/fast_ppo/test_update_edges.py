"""Updates at the edges: of the clip range, of what advantages can be normalised, of memory, of an error."""

import re
import tracemalloc

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.type_aliases import RolloutBufferSamples

from tuning.fast_ppo import FastPPO

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

UNCLIPPED = 1e9  # a clipped gradient would hide a factor


def zero(progress: float) -> float:
    return 0.0


@pytest.fixture
def twins(build, toy_envs, fill, copy_buffer):
    """SB3's model and ours with the same rollout of 64 steps."""

    def make(*, action=None, shift=0.3, alter=None, **arguments):
        arguments = {"n_steps": 32, "batch_size": 16, "n_epochs": 2, "spread": 1.0, **arguments}
        models = [build(cls, toy_envs(action=action), **arguments) for cls in (PPO, FastPPO)]
        for model in models if alter else ():
            alter(model.policy)
        fill(models[0], seed=0, shift=shift)
        copy_buffer(*models)
        assert models[1].why_not_fast is None
        return models

    return make


def without_state(policy):
    """Let heads give their bias in every state, so that rounding cannot differ between torch and numpy."""
    with torch.no_grad():
        policy.action_net.weight.zero_()
        policy.value_net.weight.zero_()


def test_ratios_and_values_on_the_edge_of_the_clip_range_are_learnt_from(
    twins, weights, logged, assert_equal_norm
):
    """In the first minibatch after a rollout the ratio is 1 and no value has changed: with a clip range of
    0, that is the edge. Each trainer gets its own log-probabilities, which makes the ratios exactly 1."""
    action = spaces.Box(-2.0, 2.0, (1,), np.float32)
    theirs, ours = twins(
        action=action,
        shift=0.0,
        alter=without_state,
        clip_range=zero,
        clip_range_vf=zero,
        n_epochs=1,
        batch_size=64,
    )
    before = weights(ours)
    judged = ours.kernel().evaluate(
        ours.rollout_buffer.observations.reshape(64, -1),
        ours.kernel().actions.encode(ours.rollout_buffer.actions.reshape(64, 1)),
    )
    ours.rollout_buffer.log_probs[:] = judged.actions.log_prob.reshape(32, 2)
    for model in (theirs, ours):
        np.random.seed(1)
        model.train()
        assert logged(model)["train/clip_fraction"] == 0, "the ratios were not exactly 1"
    assert_equal_norm(weights(ours), weights(theirs))
    moved = {name: not np.allclose(v, 0) for name, v in ours.policy.state_dict().items() if "_net.w" in name}
    assert moved["action_net.weight"]
    assert moved["value_net.weight"]
    assert not np.allclose(weights(ours), before)


@pytest.mark.parametrize("size", [1e-8, 1e-6, 0.0])
def test_advantages_that_hardly_differ(size, twins, assert_equal_norm):
    """1e-8 is added to their standard deviation, which counts where that is as small."""
    slopes = []
    for model in twins(vf_coef=0.0, n_epochs=1, max_grad_norm=UNCLIPPED):
        model.rollout_buffer.advantages *= size
        np.random.seed(1)
        model.train()
        state = model.get_parameters()["policy.optimizer"]["state"]
        slopes.append(np.concatenate([state[i]["exp_avg"].numpy().ravel() for i in sorted(state)]))
    assert_equal_norm(slopes[1], slopes[0], rtol=1e-5)
    assert (np.linalg.norm(slopes[0]) > 1e-3) == (size > 0)


class Interrupted(BaseException):
    """As a stopped worker raises it."""


def interrupt(model, *, at_epoch):
    get, calls = model.rollout_buffer.get, []

    def failing(batch_size: int | None = None) -> RolloutBufferSamples:
        calls.append(1)
        if len(calls) == at_epoch:
            raise Interrupted
        return get(batch_size)

    model.rollout_buffer.get = failing
    try:
        with pytest.raises(Interrupted):
            model.train()
    finally:
        del model.rollout_buffer.get


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.RMSprop])
def test_an_interrupted_update_has_counted_the_steps_it_took(
    optimizer, twins, weights, assert_equal_norm, assert_equal_elements
):
    models = twins(n_epochs=5, policy_kwargs=dict(optimizer_class=optimizer))
    for model in models:
        np.random.seed(1)
        interrupt(model, at_epoch=3)
        states = model.policy.optimizer.state_dict()["state"].values()
        assert {int(state["step"]) for state in states} == {2 * 4}
        model.train()
        assert {int(state["step"]) for state in states} == {7 * 4}
    theirs, ours = models
    assert_equal_norm(weights(ours), weights(theirs))
    assert_equal_elements(weights(ours), weights(theirs))


def test_it_is_said_that_an_update_ended_early(twins, capsys):
    divergences = []
    for model in twins(target_kl=0.01, verbose=1):
        capsys.readouterr()
        np.random.seed(1)
        model.train()
        (line,) = capsys.readouterr().out.splitlines()
        divergences.append(float(re.findall(r"\d+\.\d+", line)[-1]))
    assert divergences[0] == divergences[1] > 0.01


def test_nothing_is_said_otherwise(twins, capsys):
    for arguments in (dict(target_kl=0.01), dict(target_kl=1e6, verbose=1)):
        ours = twins(**arguments)[1]
        capsys.readouterr()
        ours.train()
        assert capsys.readouterr().out == ""


def test_very_many_discrete_observations_need_little_memory(build, toy_envs):
    """One-hot, the whole rollout would take 41 MB; one minibatch of 16 takes 1.3 MB."""
    n_states = 20_000
    model = build(
        FastPPO,
        toy_envs(spaces.Discrete(n_states)),
        n_steps=256,
        batch_size=16,
        n_epochs=1,
        policy_kwargs=dict(net_arch=[2]),
    )
    assert model.why_not_fast is None
    tracemalloc.start()
    model.learn(512)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert model._n_updates == 1
    assert peak_bytes < 10e6

"""`predict()` answers as SB3's does: same actions, shapes, types, random numbers and complaints."""

import itertools
import tracemalloc

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy

from tuning.fast_ppo import FastPPO

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

OBSERVATIONS: dict[str, spaces.Space] = {
    "box": spaces.Box(-1.0, 1.0, (3,), np.float32),
    "matrix": spaces.Box(-1.0, 1.0, (2, 3), np.float32),
    "float64": spaces.Box(-1.0, 1.0, (2,), np.float64),
    "discrete": spaces.Discrete(5),
}
ACTIONS: dict[str, spaces.Space] = {
    "box": spaces.Box(np.float32([-1, -0.5]), np.float32([0.1, 3.0])),
    "one": spaces.Box(-1.0, 1.0, (1,), np.float32),
    "matrix": spaces.Box(-0.3, 0.3, (2, 2), np.float32),
    "float64": spaces.Box(-1.0, 1.0, (2,), np.float64),
    "discrete": spaces.Discrete(4),
}


@pytest.fixture
def twins(build, toy_envs):
    def make(observation="box", action="box", **arguments):
        env = toy_envs(OBSERVATIONS[observation], ACTIONS[action], n_envs=1)
        return [build(cls, env, spread=1.0, **arguments) for cls in (PPO, FastPPO)]

    return make


def drawn(name, shape):
    random, space = np.random.default_rng(2), OBSERVATIONS[name]
    if name == "discrete":
        return random.integers(5, size=shape)
    return random.uniform(-1, 1, size=(*shape, *space.shape)).astype(space.dtype)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_the_same_actions(observation, action, twins):
    theirs, ours = twins(observation, action)
    for rows, deterministic in itertools.product([(), (1,), (6,)], [True, False]):
        answers, states = [], []
        for model in (theirs, ours):
            torch.manual_seed(4)
            answers.append(
                [model.predict(drawn(observation, rows), deterministic=deterministic) for _ in range(3)]
            )
            states.append(torch.get_rng_state())
        for (expected, _), (actual, state) in zip(*answers, strict=True):
            assert state is None
            assert type(actual) is type(expected)
            assert actual.dtype == expected.dtype
            assert actual.shape == expected.shape
            np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)
        assert torch.equal(*states), "drew other random numbers"


@pytest.mark.parametrize("deterministic", [True, False], ids=["mode", "sample"])
def test_no_observations_get_no_actions(deterministic, twins):
    nothing = np.zeros((0, 3), np.float32)
    expected, actual = (model.predict(nothing, deterministic=deterministic)[0] for model in twins())
    assert actual.shape == expected.shape == (0, 2)
    assert actual.dtype == expected.dtype


def test_no_observations_get_torchs_complaint_where_it_has_one(twins):
    complaints = []
    for model in twins(action="discrete"):  # torch makes no categorical distribution for no states
        with pytest.raises(RuntimeError) as complaint:
            model.predict(np.zeros((0, 3), np.float32))
        complaints.append(str(complaint.value))
    assert complaints[0] == complaints[1]


def test_a_prediction_for_very_many_leaves_no_memory_behind(twins):
    ours = twins(policy_kwargs={"net_arch": [64, 64]})[1]
    ours.predict(drawn("box", (4,)))
    many = drawn("box", (1_000,))
    tracemalloc.start()
    ours.predict(many)
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept_bytes < 50_000, "1,000 rows of one layer are 256,000"


def test_a_state_is_handed_through(twins):
    state = (np.ones(2),)
    for model in twins():
        assert model.predict(drawn("box", (3,)), state=state)[1] is state


@pytest.mark.parametrize(
    "observation",
    [
        (np.zeros(3, np.float32), {}),
        np.zeros(4, np.float32),
        np.zeros((2, 4), np.float32),
        np.zeros((2, 1, 3), np.float32),
    ],
    ids=["gym-reset", "too-long", "rows-too-long", "too-deep"],
)
def test_the_same_complaint_about_wrong_observations(observation, twins):
    theirs, ours = twins()
    with pytest.raises(ValueError) as expected:  # noqa: PT011 the words are compared below
        theirs.predict(observation)
    with pytest.raises(ValueError) as actual:  # noqa: PT011
        ours.predict(observation)
    assert str(actual.value) == str(expected.value)


def test_observations_are_taken_as_they_come(twins):
    theirs, ours = twins()
    for observation in (
        [0.1, 0.2, 0.3],
        np.float64([0.1, 0.2, 0.3]),
        np.float32([[0.1, 0.2, 0.3], [1, 2, 3]])[::-1],
        np.asfortranarray(drawn("box", (5,))),
    ):
        expected = theirs.predict(np.asarray(observation), deterministic=True)[0]
        np.testing.assert_allclose(
            ours.predict(np.asarray(observation), deterministic=True)[0], expected, rtol=1e-5
        )


def test_earlier_answers_stay_as_they_were(twins):
    ours = twins(action="box")[1]
    first = ours.predict(drawn("box", (4,)), deterministic=True)[0]
    kept = first.copy()
    ours.predict(drawn("box", (4,)) + 1, deterministic=True)
    np.testing.assert_array_equal(first, kept)


def test_weights_changed_from_outside_are_used(twins):
    theirs, ours = twins()
    before = ours.predict(drawn("box", (4,)), deterministic=True)[0]
    for model in (theirs, ours):
        with torch.no_grad():
            for parameter in model.policy.parameters():
                parameter.mul_(0.5)
    after = ours.predict(drawn("box", (4,)), deterministic=True)[0]
    assert not np.allclose(after, before)
    np.testing.assert_allclose(
        after, theirs.predict(drawn("box", (4,)), deterministic=True)[0], rtol=1e-5, atol=1e-6
    )


def test_an_evaluation_by_sb3_gives_the_same_returns(build, toy_envs):
    results = []
    for cls in (PPO, FastPPO):
        model = build(cls, toy_envs(n_envs=2), spread=1.0)
        env = toy_envs(n_envs=2)
        env.seed(11)
        results.append(evaluate_policy(model, env, n_eval_episodes=6, return_episode_rewards=True))
    assert results[0][1] == results[1][1]
    np.testing.assert_allclose(results[1][0], results[0][0], rtol=1e-5, atol=1e-5)

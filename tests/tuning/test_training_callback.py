"""ARS plays whole populations and tells SB3's callbacks less than the others do."""

import pytest
from sb3_contrib import ARS

from tuning.spec_parts import EnvSpec
from tuning.training import make_envs
from tuning.training_callback import TrainingCallback, TrainingStopped


class Heard:
    """Keeps what a trial's reporter would write."""

    def __init__(self):
        self.timesteps, self.episodes, self.evaluations, self.phases = 0, [], [], []

    def phase(self, name, *, passing=False):
        self.phases.append(name)

    def episode(self, timesteps, total):
        self.episodes.append((timesteps, total))

    def evaluation(self, timesteps, mean, std):
        self.evaluations.append(timesteps)


class Control:
    stop_kind = None


def learn(n_timesteps, marks, on_evaluation, control):
    env, heard = EnvSpec(id="CartPole-v1", kwargs={"max_episode_steps": 25}), Heard()
    callback = TrainingCallback(
        on_evaluation,
        eval_env=make_envs(env, 1, seed=8000),
        eval_seed=8000,
        marks=marks,
        n_episodes=1,
        reporter=heard,
        control=control,
    )
    model = ARS("LinearPolicy", make_envs(env, 1, seed=1), n_delta=1, seed=1)
    try:
        model.learn(n_timesteps, callback=callback, log_interval=n_timesteps)
    finally:
        assert model.num_timesteps < n_timesteps + 2 * 25
    return model, heard


def test_evaluations_come_between_populations_and_every_episode_is_in_the_curve():
    evaluations = []
    model, heard = learn(300, [60, 150, 300], evaluations.append, Control())
    assert [e.mark for e in evaluations] == [60, 150, 300]
    assert [e.last for e in evaluations] == [False, False, True]
    assert all(e.timesteps >= e.mark for e in evaluations)
    ends = [timesteps for timesteps, _ in heard.episodes]
    assert ends[-1] == model.num_timesteps == evaluations[-1].timesteps
    # CartPole pays one for each step, so what was reported adds up to the steps taken.
    assert sum(total for _, total in heard.episodes) == model.num_timesteps
    assert {e.timesteps for e in evaluations} <= set(ends[1::2]), "an iteration has two candidates here"
    assert heard.phases[:2] == ["collect", "update"]


def test_it_can_be_stopped_within_an_episode_and_ended_by_an_evaluation():
    control = Control()
    control.stop_kind = "now"
    with pytest.raises(TrainingStopped):
        learn(300, [300], lambda _: None, control)

    def prune(evaluation):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        learn(300, [30, 300], prune, Control())

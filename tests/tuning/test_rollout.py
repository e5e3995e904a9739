"""The request of a rollout, and what its result says in words: pure data."""

import pytest
from pydantic import ValidationError

from tuning.rollout import Actor, ActorResult, Episode, JobRun, KeptTrial, Rollout, RolloutResult, Training
from tuning.rollout_words import Difference, differences, file_name, headline, return_words, steps_words


def actor(label="Tuned (trial 3)", role="tuned", policy=None):
    return Actor(label=label, role=role, policy=policy or KeptTrial(study="a-1", number=3))


def rollout(*actors, **over):
    return Rollout(**{"env": {"id": "Pendulum-v1"}, "actors": actors or (actor(),), **over})


def test_a_request_survives_its_own_text():
    request = rollout(
        actor(), actor("SB3 defaults", "baseline", JobRun(job="reevaluation-12ab", run=4)), seed=7
    )
    assert Rollout.model_validate_json(request.model_dump_json()) == request
    assert isinstance(request.actors[1].policy, JobRun)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"actors": ()}, "at least 1"),
        (
            {"actors": tuple(actor(f"a{n}", policy=KeptTrial(study="s", number=n)) for n in range(5))},
            "at most 4",
        ),
        ({"actors": (actor(), actor(policy=KeptTrial(study="s", number=9)))}, "label of its own"),
        ({"actors": (actor(), actor("another"))}, "policy of its own"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"seed": 2**31}, "less than or equal to"),
        ({"n_episodes": 0}, "greater than or equal to 1"),
        ({"n_episodes": 21}, "less than or equal to 20"),
        ({"env": {"id": "../../x"}}, "pattern"),
        ({"more": 1}, "Extra inputs"),
    ],
)
def test_requests_that_make_no_sense_are_refused(over, said):
    with pytest.raises(ValidationError, match=said):
        rollout(**over)


@pytest.mark.parametrize("label", ["", " ", "two\nlines", "\x1b[31m", "x" * 81])
def test_a_label_is_one_line_of_text(label):
    with pytest.raises(ValidationError):
        actor(label)


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "x" * 65])
def test_a_policy_lies_nowhere_but_in_a_run_folder(name):
    for kind, field in ((KeptTrial, "study"), (JobRun, "job")):
        with pytest.raises(ValidationError):
            kind(**{field: name, "number" if kind is KeptTrial else "run": 0})


def result(*trainings, episodes=None):
    played = episodes or (Episode(total=-100.0, steps=200, ending="time limit"),)
    actors = [
        ActorResult(label=f"actor {n}", role="tuned", episodes=played, video=None, training=training)
        for n, training in enumerate(trainings)
    ]
    return RolloutResult(actors=tuple(actors))


def training(n_timesteps=40_000, n_train_envs=1, algorithm="PPO", **resolved):
    return Training(
        algorithm=algorithm, resolved=resolved, n_train_envs=n_train_envs, n_timesteps=n_timesteps
    )


def test_what_is_left_at_its_default_does_not_differ_from_that_default():
    tuned = training(gamma=0.99, learning_rate=1e-3, policy_kwargs={"activation_fn": "tanh"})
    assert differences(result(training(), tuned)) == [Difference("learning_rate", (3e-4, 1e-3))]


def test_policy_arguments_and_training_envs_count_as_hyperparameters():
    tuned = training(n_train_envs=4, policy_kwargs={"activation_fn": "relu"})
    found = differences(result(training(), tuned))
    assert [d.name for d in found] == ["n_envs", "policy_kwargs.activation_fn"]


@pytest.mark.parametrize(
    ("trainings", "said"),
    [
        (
            (training(), training(gamma=0.9, n_steps=64)),
            "PPO on Pendulum-v1: same algorithm, same training steps; only 2 hyperparameters differ.",
        ),
        (
            (training(), training(gamma=0.9)),
            "PPO on Pendulum-v1: same algorithm, same training steps; only 1 hyperparameter differs.",
        ),
        (
            (training(gamma=0.9), training(gamma=0.9)),
            "PPO on Pendulum-v1: same algorithm, same training steps, same hyperparameters; "
            "only the training seeds differ.",
        ),
        (
            (training(1000), training(2000, gamma=0.9)),
            "PPO on Pendulum-v1: same algorithm, 1 000 and 2 000 training steps; "
            "only 1 hyperparameter differs.",
        ),
        (
            (training(None), training(gamma=0.9)),
            "PPO on Pendulum-v1: same algorithm; only 1 hyperparameter differs.",
        ),
        ((training(),), "PPO on Pendulum-v1 after 40 000 training steps."),
        ((training(None),), "PPO on Pendulum-v1."),
    ],
)
def test_the_headline_is_true_of_these_policies(trainings, said):
    assert headline(result(*trainings), "Pendulum-v1").replace("\u202f", " ") == said


def test_an_algorithm_that_is_not_known_here_is_compared_by_what_was_set():
    found = differences(result(training(algorithm="Odd", x=1), training(algorithm="Odd")))
    assert found == [Difference("x", (1, None))]


def test_returns_and_steps_in_words():
    one = (Episode(total=-1034.4, steps=200, ending="time limit"),)
    assert return_words(one).replace("\u202f", " ") == "-1 034"
    assert steps_words(one) == "200 steps, up to the time limit"
    two = (*one, Episode(total=-966.0, steps=100, ending="terminated"))
    assert return_words(two).replace("\u202f", " ") == "-1 000"
    assert steps_words(two) == "2 episodes of 150 steps on average, 1 ended early"
    assert return_words((Episode(total=None, steps=3, ending="terminated"),)) == "–"  # noqa: RUF001
    assert result(training(), episodes=two).actors[0].mean == pytest.approx(-1000.2)


def test_the_name_of_a_file_to_take_along_is_plain():
    request = rollout(actor("Tuned (trial 3, median of 10 runs)"), seed=5)
    assert file_name("my-study", request) == "my-study_tuned-trial-3-median-of-10-runs_start-5.mp4"

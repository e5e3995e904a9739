"""What makes a trial good: last evaluations, several trainings, a time budget, a second objective."""

import types
import weakref

import optuna
import pytest

from storage.trials import EVALUATIONS, SECOND, SEED_VALUES, TIMESTEPS, read_study
from tuning import launch, objective
from tuning.evaluation import EvaluationResult
from tuning.objective import _Course
from tuning.reevaluation_plan import plan_reevaluation
from tuning.retraining_plan import seconds_of_a_run
from tuning.retraining_task import RunTask, run_training
from tuning.spec import SpecError, build_spec
from tuning.training_callback import Evaluation
from tuning.training_clock import TrainingClock
from tuning.worker import Task, run_trial

SPACE = [{"name": "gamma", "kind": "float", "low": 0.9, "high": 0.99}]


def spec_of(*, pruner="none", budget=None, **objective):
    return build_spec(
        {
            "env": {"id": "CartPole-v1"},
            "search_space": SPACE,
            "hyperparameters": {"n_steps": 32},
            "n_train_envs": 2,
            "n_eval_envs": 2,
            "n_workers": 1,
            "defaults_first": False,
            "tuned_first": False,
            "sampler": {"name": "random"},
            "pruner": {"name": pruner, "n_startup_trials": 0, "warmup_fraction": 0},
            "budget": {
                "n_trials": 1, "n_timesteps": 128, "n_evaluations": 2, "n_eval_episodes": 2, **(budget or {}),
            },
            "objective": objective,
        }
    )  # fmt: skip


def course_of(spec, trainings, *, seconds=(7.0, 9.0, 11.0)):
    """Play evaluations into a trial, as its trainings would."""
    directions = ["maximize", "minimize"] if spec.objective.second else ["maximize"]
    study = optuna.create_study(directions=directions)
    trial = study.ask()
    course = _Course(trial, spec)
    marks = spec.evaluation_marks()
    for k, means in enumerate(trainings):
        for mark, mean in zip(marks, means, strict=True):
            result = EvaluationResult((mean,), (1,))
            course.take(Evaluation(mark, mark + 10, result, last=mark == marks[-1]))
        model = types.SimpleNamespace(num_timesteps=marks[-1] + 10)
        course.end_training(types.SimpleNamespace(model=model, seconds=seconds[k]))
    return course, study.trials[0]


def test_the_value_is_the_mean_of_the_last_evaluations():
    budget = {"n_evaluations": 4}
    assert course_of(spec_of(budget=budget), [(1.0, 2.0, 3.0, 6.0)])[0].values == [6.0]
    course, trial = course_of(spec_of(budget=budget, last_k=3), [(1.0, 2.0, 4.0, 6.0)])
    assert course.values == [4.0]
    assert trial.intermediate_values == {32: 1.0, 64: 2.0, 96: 4.0, 128: 4.0}


def test_further_trainings_are_reported_at_their_end_with_the_mean_so_far():
    course, trial = course_of(spec_of(n_seeds=3), [(1.0, 10.0), (3.0, 20.0), (5.0, 60.0)])
    assert course.values == [10.0, 20.0, 60.0]
    assert trial.intermediate_values == {64: 1.0, 128: 10.0, 256: 15.0, 384: 30.0}
    assert [(r["mark"], r["timesteps"], r.get("training")) for r in course.records] == [
        (64, 74, None), (128, 138, None), (192, 212, 1), (256, 276, 1), (320, 350, 2), (384, 414, 2),
    ]  # fmt: skip
    assert course.timesteps == 3 * 138


def test_steps_to_a_threshold_are_those_of_the_first_evaluation_that_reached_it_or_twice_all():
    spec = spec_of(second="steps_to_threshold", threshold=5.0, n_seeds=3)
    course, _ = course_of(spec, [(5.0, 1.0), (1.0, 9.0), (1.0, 2.0)])
    assert course.seconds == [74.0, 138.0, 276.0]
    assert course.n_reached == 2


@pytest.mark.parametrize(
    ("pruner", "said"),
    [
        ("median", "a mean return of 2 over 2 trainings after 276 steps was behind the median"),
        ("wilcoxon", "a mean return of -6 after 276 steps and those before it were behind"),
    ],
)
def test_the_reason_names_the_number_that_the_pruner_saw(monkeypatch, pruner, said):
    monkeypatch.setattr("optuna.Trial.should_prune", lambda trial: trial.study.trials[0].last_step == 256)
    with pytest.raises(optuna.TrialPruned, match=said):
        course_of(spec_of(pruner=pruner, n_seeds=6), [(1.0, 10.0), (3.0, -6.0)])


def test_with_a_second_objective_the_first_is_read_as_in_a_study_of_its_own():
    trainings = [(1.0, 9.0, 10.0), (3.0, 4.0, 20.0)]
    alone, trial = course_of(spec_of(budget={"n_evaluations": 3}, n_seeds=2, last_k=2), trainings)
    assert "reported" not in alone.records[0]
    course, _ = course_of(
        spec_of(budget={"n_evaluations": 3}, n_seeds=2, last_k=2, second="training_time"), trainings
    )
    study = optuna.create_study(study_name="s", directions=["maximize", "minimize"])
    attrs = {EVALUATIONS: course.records}
    study.add_trial(optuna.trial.create_trial(values=[10.75, 8.0], user_attrs=attrs))
    (shown,) = read_study(study._storage, "s").trials
    assert shown.intermediate_values == trial.intermediate_values == {43: 1.0, 85: 9.0, 128: 9.5, 256: 10.75}


def test_the_training_time_leaves_evaluations_out(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("tuning.training_clock.time.monotonic", lambda: now[0])
    clock = TrainingClock()
    assert clock.seconds == 0
    clock.start()
    now[0] = 2.0
    with clock.stopped():
        now[0] = 50.0
        assert clock.seconds == 2.0
    now[0] = 53.0
    assert clock.seconds == 5.0


@pytest.mark.parametrize(
    ("objective", "budget", "said"),
    [
        ({"last_k": 3}, {}, "`objective.last_k` must be at most the number of evaluations, 2: received 3."),
        (
            {"last_k": 6},
            {"trial_seconds": 5, "n_evaluations": 10},
            "`objective.last_k` must be at most the number of evaluations, 5: received 6.",
        ),
        ({"second": "steps_to_threshold"}, {}, "`objective.threshold` is missing"),
        ({"second": "training_time"}, {"trial_seconds": 5}, "every training takes the same time"),
        (
            {"second": "steps_to_threshold", "threshold": 1},
            {"trial_seconds": 5},
            "need a budget in steps",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_remedy(objective, budget, said):
    with pytest.raises(SpecError, match=said):
        spec_of(budget=budget, **objective)


def run_one(spec, root):
    folder = launch.create_study(spec, root)
    outcome = run_trial(Task(str(folder.path), spec, 0, alone=True))
    return folder, launch.read_run(folder).study.trials[0], outcome


def test_a_trial_of_two_objectives_keeps_both_and_is_read_by_its_first(tmp_path):
    spec = spec_of(second="training_time", n_seeds=2)
    folder, trial, outcome = run_one(spec, tmp_path)
    assert f"{trial.value:.1f}, " in outcome.sentence
    assert trial.value == pytest.approx(sum(trial.user_attrs[SEED_VALUES]) / 2)
    assert trial.user_attrs[SECOND] > 0
    assert len(trial.user_attrs[EVALUATIONS]) == 4
    assert trial.user_attrs[TIMESTEPS] == 256
    assert list(trial.intermediate_values) == [64, 128, 256]
    storage = launch.open_journal(folder.journal)
    assert storage.get_all_trials(0)[0].values == [trial.value, trial.user_attrs[SECOND]]
    assert read_study(storage, launch.STUDY_NAME).maximize is True


def test_a_trial_holds_one_replay_buffer_at_a_time(tmp_path, monkeypatch):
    buffers, alive = [], []

    def watched(*arguments, **options):
        alive.append(sum(buffer() is not None for buffer in buffers))
        trained = train(*arguments, **options)
        buffers.append(weakref.ref(trained.model.replay_buffer))
        return trained

    train = objective.train
    monkeypatch.setattr(objective, "train", watched)
    over = {"algorithm": "DQN", "policy": "MlpPolicy", "hyperparameters": {"buffer_size": 1000}}
    spec = build_spec(spec_of(n_seeds=2).model_dump() | over)
    assert run_one(spec, tmp_path)[1].value is not None
    assert alive == [0, 0]


def test_a_time_budget_ends_a_training_whatever_its_steps(tmp_path):
    spec = spec_of(budget={"trial_seconds": 1.0, "n_evaluations": 1})
    _, trial, _ = run_one(spec, tmp_path)
    assert trial.user_attrs[TIMESTEPS] > 128
    assert trial.user_attrs[EVALUATIONS][-1]["mark"] == 1
    assert trial.user_attrs[EVALUATIONS][-1]["unit"] == "seconds"
    assert 1.0 <= trial.duration.total_seconds() < 30


def test_a_study_with_a_time_budget_is_trained_again_by_time(tmp_path):
    spec = spec_of(budget={"trial_seconds": 1.0, "n_evaluations": 1})
    folder, _, _ = run_one(spec, tmp_path)
    run = launch.read_run(folder)
    planned = plan_reevaluation(run, n_seeds=2, n_timesteps=2 * spec.budget.n_timesteps)
    assert planned.plan.trial_seconds == 2.0
    assert any("a run trains for 2 s" in note for note in planned.notes)
    plan = planned.plan.model_copy(update={"trial_seconds": 0.5})
    outcome = run_training(RunTask(str(folder.path), plan, 0))
    assert outcome.result.state == "ok"
    assert outcome.result.timesteps != plan.n_timesteps
    assert seconds_of_a_run(spec_of(), 999) is None

"""What a study takes over from the one that it continues."""

import time
import warnings
from datetime import datetime

import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial

from storage.artifacts import kept_trials
from storage.journal import STUDY_NAME, open_journal
from storage.paths import list_runs
from storage.trials import (
    BASELINE,
    CRASHES,
    FAILURE,
    IMPORTED_FROM,
    IMPORTED_TRIAL,
    RERUN_OF,
    RETRY_OF,
    RUN,
    TRAINER,
    counted,
    imported,
    own,
)
from tuning import launch, recovery
from tuning.continuation import continuation
from tuning.engine import _Run
from tuning.jobs import JobState
from tuning.samplers import build_sampler
from tuning.spec import SpecError, build_spec
from tuning.widen import widened_spec

RATE = {"name": "learning_rate", "kind": "float", "low": 3e-5, "high": 3e-4, "log": True}
GAMMA = {"name": "gamma", "kind": "float", "low": 0.97, "high": 0.9999}
BATCH = {"name": "batch_size", "kind": "categorical", "choices": [64, 128]}
WIDER = {"learning_rate": (3e-5, 3e-3)}


def spec_of(*space, **changes):
    data = {"name": "old", "env": {"id": "Pendulum-v1"}, "search_space": list(space or (RATE, GAMMA))}
    return build_spec({**data, "defaults_first": False, "tuned_first": False, **changes})


def trial(spec, number, params, value=None, state=None, **attributes):
    made = create_trial(
        state=(TrialState.FAIL if value is None else TrialState.COMPLETE) if state is None else state,
        value=value,
        params=params,
        distributions={name: spec.parameter(name).distribution() for name in params},
        user_attrs={RUN: {"task": number}, **attributes},
        intermediate_values={} if value is None else {500: value - 10, 1000: value},
    )
    made.number = number
    return made


def ended(spec, n=5):
    return [trial(spec, i, {"learning_rate": 1e-4, "gamma": 0.97 + i / 1000}, 10.0 * i) for i in range(n)]


def inherit(parent, spec, trials):
    return continuation("old-1a2b", parent, trials, spec)


def test_trials_are_copied_as_if_they_had_had_the_new_ranges():
    parent = spec_of()
    old = ended(parent)
    old[1] = trial(parent, 1, old[1].params, -7.0, TrialState.PRUNED)
    old[2].datetime_start = datetime(2025, 1, 1, 10)
    old[2].datetime_complete = datetime(2025, 1, 1, 11)
    old[2].system_attrs = {"fixed_params": {"gamma": 0.99}}
    wide = widened_spec(parent, WIDER)
    got = inherit(parent, wide, old)
    assert [t.params for t in got.imported] == [t.params for t in old]
    assert [t.values for t in got.imported] == [t.values for t in old]
    assert [t.state for t in got.imported] == [t.state for t in old]
    assert got.imported[2].duration.total_seconds() == 3600
    assert got.imported[2].system_attrs == {}
    for number, t in enumerate(got.imported):
        assert t.distributions == {p.name: p.distribution() for p in wide.search_space}
        assert t.intermediate_values == old[number].intermediate_values
        assert (t.user_attrs[IMPORTED_FROM], t.user_attrs[IMPORTED_TRIAL]) == ("old-1a2b", number)
        assert t.user_attrs[RUN] == {"task": number}
    assert old[0].distributions["learning_rate"].high == 3e-4  # the parent's own trials are left as they are
    assert IMPORTED_FROM not in old[0].user_attrs


def test_a_copy_of_a_copy_keeps_its_first_home():
    parent = spec_of()
    old = [trial(parent, 3, {"learning_rate": 1e-4, "gamma": 0.98}, 1.0)]
    old[0].user_attrs = {IMPORTED_FROM: "grand-0000", IMPORTED_TRIAL: 17}
    got = inherit(parent, parent, old)
    assert got.imported[0].user_attrs == {IMPORTED_FROM: "grand-0000", IMPORTED_TRIAL: 17}
    assert got.rerun[0].user_attrs == {RERUN_OF: {"study": "grand-0000", "trial": 17}}


def test_an_imported_trial_keeps_its_trainer_and_a_rerun_gets_its_own():
    parent = spec_of()
    by_sb3 = {"name": "sb3", "reason": "gSDE"}
    old = trial(parent, 3, {"learning_rate": 1e-4, "gamma": 0.98}, 1.0, **{TRAINER: by_sb3})
    got = inherit(parent, parent, [old])
    assert got.imported[0].user_attrs[TRAINER] == by_sb3
    assert TRAINER not in got.rerun[0].user_attrs


def test_what_failed_by_itself_is_evidence_and_what_was_stopped_is_not():
    parent = spec_of()
    params = {"learning_rate": 1e-4, "gamma": 0.98}
    trials = [
        trial(parent, 0, params, **{FAILURE: {"kind": "error", "message": "boom"}, BASELINE: "SB3 defaults"}),
        trial(parent, 1, params, **{FAILURE: {"kind": "stopped"}}),
        trial(parent, 2, params, **{FAILURE: {"kind": "killed"}, CRASHES: 1, RETRY_OF: 0}),
        trial(parent, 3, params, state=TrialState.RUNNING),
        trial(parent, 4, {}, state=TrialState.WAITING),
        trial(parent, 5, {"gamma": 0.98}, **{FAILURE: {"kind": "error"}}),
    ]
    got = inherit(parent, parent, trials)
    assert [t.user_attrs[IMPORTED_TRIAL] for t in got.imported] == [0]
    assert got.imported[0].user_attrs[BASELINE] == "SB3 defaults"
    assert got.n_unfinished == 2
    assert dict(got.left_out) == {
        "stopped or killed, which says nothing about the configuration": 2,
        "ended before every parameter was chosen": 1,
    }
    assert got.rerun == ()
    assert got.sentence == "Continues old-1a2b: 1 trial is imported."
    assert got.left_out_sentence.startswith("Not imported: 2 trials: stopped or killed")


@pytest.mark.parametrize(("maximize", "best"), [(True, [4, 3, 1]), (False, [0, 1, 2])])
def test_the_best_three_different_configurations_run_again(maximize, best):
    parent = spec_of(maximize=maximize)
    old = ended(parent)
    old[2] = trial(parent, 2, old[3].params, 25.0)  # between 1 and 3, with the configuration of 3
    got = inherit(parent, widened_spec(parent, WIDER), old)
    assert [t.user_attrs[RERUN_OF]["trial"] for t in got.rerun] == best
    assert [t.system_attrs["fixed_params"] for t in got.rerun] == [old[n].params for n in best]
    assert {t.state for t in got.rerun} == {TrialState.WAITING}
    assert got.sentence == "Continues old-1a2b: 5 trials are imported, the best 3 run again."


def test_no_more_run_again_than_the_budget_has_room_for():
    parent = spec_of(budget={"n_trials": 1})
    got = inherit(parent, parent, ended(parent))
    assert len(got.rerun) == 1
    assert got.sentence.endswith("the best one runs again.")


def test_a_narrower_range_leaves_out_what_lies_outside():
    parent = spec_of()
    got = inherit(parent, spec_of(RATE, {**GAMMA, "low": 0.972}), ended(parent))
    assert [t.user_attrs[IMPORTED_TRIAL] for t in got.imported] == [2, 3, 4]
    assert got.left_out == (("gamma outside 0.972 … 0.9999", 2),)


def test_a_parameter_that_was_fixed_before_is_filled_in():
    parent = spec_of(RATE, hyperparameters={"gamma": 0.98})
    old = [trial(parent, 0, {"learning_rate": 1e-4}, 1.0)]
    assert inherit(parent, spec_of(), old).imported[0].params == {"learning_rate": 1e-4, "gamma": 0.98}
    by_default = inherit(spec_of(RATE), spec_of(RATE, BATCH), old)
    assert by_default.imported[0].params == {"learning_rate": 1e-4, "batch_size": 64}
    too_low = {**GAMMA, "low": 0.99}
    assert inherit(parent, spec_of(RATE, too_low), old).left_out == (("gamma outside 0.99 … 0.9999", 1),)


def test_a_parameter_that_is_fixed_now_must_have_had_that_value():
    parent = spec_of(RATE, BATCH)
    old = [
        trial(parent, i, {"learning_rate": 1e-4, "batch_size": b}, 1.0) for i, b in enumerate((64, 128, 64))
    ]
    got = inherit(parent, spec_of(RATE, hyperparameters={"batch_size": 128}), old)
    assert [t.params for t in got.imported] == [{"learning_rate": 1e-4}]
    assert got.left_out == (("batch_size is not what batch_size is fixed at now", 2),)
    assert len(inherit(parent, spec_of(RATE), old).imported) == 2  # fixed at the default, 64


def test_another_transform_of_the_same_argument_is_translated():
    parent = spec_of(GAMMA)
    old = [trial(parent, 0, {"gamma": 0.98}, 1.0)]
    new = {"name": "one_minus_gamma", "kind": "float", "low": 1e-4, "high": 0.1, "log": True}
    got = inherit(parent, spec_of({**new, "transform": "1 - x"}), old)
    assert got.imported[0].params == {"one_minus_gamma": pytest.approx(0.02)}


def test_a_fixed_value_that_changed_leaves_all_out():
    parent = spec_of(hyperparameters={"n_epochs": 5})
    got = inherit(parent, spec_of(hyperparameters={"n_epochs": 10}), ended(parent))
    assert got.left_out == (("n_epochs is fixed at another value now", 5),)
    assert got.sentence == "Continues old-1a2b: no trial can be imported."
    assert (
        len(
            inherit(
                parent, spec_of(hyperparameters={"n_epochs": 5, "gae_lambda": 0.95}), ended(parent)
            ).imported
        )
        == 5
    )


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({}, []),
        ({"n_trials": 7}, []),
        ({"n_eval_episodes": 40}, ["means of 10 episodes, new ones of 40: the imported ones are noisier"]),
        ({"n_eval_episodes": 1}, ["means of 10 episodes, new ones of 1: the new ones are noisier"]),
        ({"n_evaluations": 1}, ["evaluated 2 times, new ones are once"]),
        ({"n_evaluations": 4, "n_eval_episodes": 5}, ["means of 10 episodes", "only at the steps that both"]),
    ],
)
def test_what_is_measured_otherwise_is_said_and_not_refused(budget, said):
    parent = spec_of()
    got = inherit(parent, spec_of(budget=budget), ended(parent))
    assert len(got.imported) == 5
    assert len(got.notes) == len(said)
    assert all(part in note for part, note in zip(said, got.notes, strict=True))
    assert inherit(parent, spec_of(budget=budget), []).notes == ()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"env": {"id": "MountainCarContinuous-v0"}}, "environment"),
        ({"env": {"id": "Pendulum-v1", "kwargs": {"g": 5}}}, "environment arguments"),
        ({"policy": "CnnPolicy"}, "policy"),
        ({"maximize": False}, "direction"),
        ({"budget": {"n_timesteps": 5000}}, "steps a trial"),
        ({"n_train_envs": 4}, "number of training envs"),
    ],
)
def test_values_that_would_not_compare_are_refused(changes, what):
    with pytest.raises(SpecError, match=rf"continues old-1a2b must keep its {what}, .* start from scratch"):
        inherit(spec_of(), spec_of(**changes), [])


def test_hostile_trials_are_left_out_or_harmless():
    parent = spec_of()
    strange = trial(parent, 0, {"learning_rate": 1e-4, "gamma": 0.98}, 1.0)
    strange.params = {"learning_rate": "<b>", "gamma": None}
    odd = create_trial(
        params={"learning_rate": "x", "gamma": "y"},
        distributions={n: CategoricalDistribution(["x", "y"]) for n in ("learning_rate", "gamma")},
        value=float("inf"),
    )
    got = inherit(parent, parent, [strange, odd])
    assert got.imported == ()
    assert sum(n for _, n in got.left_out) == 2


# -- in a folder


@pytest.fixture
def parent(runs_dir):
    """A parent on disk with 40 trials that are better with a larger learning rate."""
    spec = spec_of(seed=1, budget={"n_trials": 40})
    folder = launch.create_study(spec, runs_dir)
    for task in range(40):
        told(folder, spec, task)
    return launch.read_run(folder)


def told(folder, spec, task):
    study = optuna.load_study(
        study_name=STUDY_NAME,
        storage=open_journal(folder.journal),
        sampler=build_sampler(spec, task=task, n_ended=task),
    )
    running = study.ask()
    for p in spec.search_space:
        p.suggest(running)
    running.set_user_attr(RUN, {"task": task})
    rate, gamma = running.params["learning_rate"], running.params["gamma"]
    study.tell(running, 1000 * rate - 10 * abs(gamma - 0.98))
    return running


def test_a_study_that_continues_another_has_everything_before_it_is_listed(parent, runs_dir, monkeypatch):
    wide = widened_spec(parent.spec, WIDER)
    got = continuation(parent.folder.id, parent.spec, parent.study.trials, wide)
    with monkeypatch.context() as patch:
        patch.setattr(launch.jobs, "create_job", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            launch.create_study(wide, runs_dir, continues=got)
    assert list_runs(runs_dir) == [parent.folder]
    folder = launch.create_study(wide.model_copy(update={"defaults_first": True}), runs_dir, continues=got)
    run = launch.read_run(folder)
    assert run.status.state == JobState.CREATED
    assert len(imported(run.study.trials)) == 40
    assert [t.number for t in imported(run.study.trials)] == list(range(40))
    assert [t.state for t in own(run.study.trials)] == [TrialState.WAITING] * 4  # the defaults and three
    assert counted(run.study.trials) == []
    theirs = parent.study.trials
    assert [t.datetime_start for t in imported(run.study.trials)] == [t.datetime_start for t in theirs]
    assert [t.duration for t in imported(run.study.trials)] == [t.duration for t in theirs]


def test_the_sampler_looks_beyond_the_old_bound_without_a_word(parent, runs_dir, capfd):
    wide = widened_spec(parent.spec, WIDER)
    got = continuation(parent.folder.id, parent.spec, parent.study.trials, wide)
    folder = launch.create_study(wide, runs_dir, continues=got)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rates = [told(folder, wide, 40 + k).params["learning_rate"] for k in range(23)]
    assert "".join(capfd.readouterr()) == ""
    assert sum(rate > 3e-4 for rate in rates[3:]) >= 10  # the optimum of what TPE knows lies there
    assert all(rate <= 3e-4 for rate in rates[:3])  # the parent's best, which run first


def test_imported_trials_take_no_part_in_running_the_study(parent, runs_dir):
    wide = widened_spec(parent.spec, WIDER, name="child")
    got = continuation(parent.folder.id, parent.spec, parent.study.trials, wide)
    folder = launch.create_study(wide.with_trials(5), runs_dir, continues=got)
    run = _Run(folder, open_journal(folder.journal))
    tasks = [task.index for task in run.claims()]
    assert tasks == [40, 41, 42, 43, 44]  # the budget in full, on seeds that the parent did not use
    assert recovery.due_retries(run.trials()) == []
    assert recovery.next_suspect(open_journal(folder.journal), run.trials()) is None
    own_number = told(folder, wide, 40).number
    for number in (0, 7, own_number):  # weights under an imported number belong to nobody here
        (folder.weights / str(number)).mkdir(parents=True)
    run._sweep()
    assert kept_trials(folder) == {own_number}


def test_a_rerun_that_was_killed_is_queued_as_a_rerun(parent, runs_dir):
    got = continuation(parent.folder.id, parent.spec, parent.study.trials, parent.spec)
    folder = launch.create_study(parent.spec, runs_dir, continues=got)
    storage = open_journal(folder.journal)
    running = optuna.load_study(study_name=STUDY_NAME, storage=storage).ask()
    recovery.recover(folder, storage, kind="stopped")
    again = storage.get_all_trials(0)[-1]
    assert again.user_attrs[RETRY_OF] == running.number
    assert again.user_attrs[RERUN_OF] == running.user_attrs[RERUN_OF]


def test_five_hundred_trials_are_taken_over_in_no_time(runs_dir):
    spec = spec_of()
    old = ended(spec, 20) * 25
    began = time.monotonic()
    got = inherit(spec, widened_spec(spec, WIDER), old)
    folder = launch.create_study(spec, runs_dir, continues=got)
    took = time.monotonic() - began
    assert len(launch.read_run(folder).study.trials) == 503
    assert took < 2

"""Who can play, from records and folders made by hand."""

import optuna
import pytest

from storage.journal import STUDY_NAME, open_journal
from storage.paths import create_run
from storage.records import write_record, write_text
from storage.trials import BASELINE
from storage.winner import Winner, write_winner
from tuning import jobs, launch, rollout_actors
from tuning.opening import open_study
from tuning.reevaluation import Candidate, Reevaluation
from tuning.retraining_plan import RetrainPlan, RunResult, TrainingRun, append_result, write_plan
from tuning.rollout import JobRun, KeptTrial
from tuning.rollout_actors import find_cast
from tuning.spec import build_spec

VALUES = (-1100.0, -300.0, -150.0, -200.0)  # of trials 0 to 3; trial 0 is the defaults


@pytest.fixture
def make_study(runs_dir):
    def make(*, kept=(), values=VALUES, maximize=True, baseline=True):
        spec = build_spec(
            {
                "name": "cast",
                "env": {"id": "Pendulum-v1"},
                "search_space": "learning-rate-only",
                "budget": {"n_trials": 9, "n_timesteps": 1000},
                "maximize": maximize,
                "defaults_first": False,
                "tuned_first": False,
            }
        )
        folder = launch.create_study(spec, runs_dir)
        study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
        rate = optuna.distributions.FloatDistribution(3e-5, 3e-3, log=True)
        for number, value in enumerate(values):
            study.add_trial(
                optuna.trial.create_trial(
                    params={"learning_rate": 1e-3},
                    distributions={"learning_rate": rate},
                    value=value,
                    user_attrs={BASELINE: "SB3 defaults"} if number == 0 and baseline else {},
                )
            )
        for number in kept:
            (folder.weights / str(number)).mkdir(parents=True)
        return folder

    return make


def candidate(trial):
    kind = "trial" if trial else "defaults"
    name = f"Trial {trial}" if trial else "SB3 defaults"
    key = f"trial {trial}" if trial else "defaults"
    return Candidate(key=key, kind=kind, name=name, trial=trial, resolved={}, n_train_envs=1)


def reevaluate(folder, means, *, mode="retrain", n_timesteps=1000, lost=(), maximize=True, ended="finished"):
    """Add a re-evaluation; `means` has the runs of each trial (0: the defaults), None for broken ones."""
    question = Reevaluation(
        mode=mode,
        candidates=[candidate(trial) for trial in means],
        n_seeds=max(len(runs) for runs in means.values()),
        n_episodes=20,
        n_timesteps=n_timesteps,
        study_timesteps=1000,
        maximize=maximize,
    )
    runs, results = [], []
    for seed in range(question.n_seeds):
        for c in question.candidates:
            own = means[c.trial or 0]
            key = question.run_key(c, seed)
            runs.append(TrainingRun(key=key, label=key, resolved={}, train_seed=seed, eval_seed=seed))
            mean = own[seed] if seed < len(own) else None
            if seed < len(own):
                state = "ok" if mean is not None else "diverged"
                returns = (mean,) * 20 if mean is not None else ()
                results.append(RunResult(key=key, state=state, mean=mean, std=0.0, returns=returns))
    plan = RetrainPlan(
        env={"id": "Pendulum-v1"},
        algorithm="PPO",
        policy="MlpPolicy",
        n_train_envs=1,
        n_timesteps=n_timesteps,
        n_eval_episodes=20,
        n_eval_envs=1,
        n_workers=1,
        keep_weights=True,
        runs=runs,
    )
    folder.jobs.mkdir(exist_ok=True)
    job = create_run(folder.jobs, "reevaluation")
    write_text(job.reevaluation, question.model_dump_json())
    write_plan(job, plan)
    for result in results:
        append_result(job, result)
    for index in range(len(runs)):
        if index not in lost:
            (job.weights / str(index)).mkdir(parents=True)
    jobs.create_job(job, "reevaluation")
    if ended is not None:
        write_record(job.exit, {"state": ended, "reason": "", "ended_at": 1.0})
    return job


def cast_of(folder):
    return find_cast(launch.read_run(folder))


def labels(cast, keys):
    return [cast.part(key).actor.label for key in keys]


def test_without_any_policy_it_says_how_to_get_one(make_study, write_study, tmp_path, runs_dir):
    assert cast_of(make_study(values=())).missing == rollout_actors.NOTHING_COMPLETE
    cast = cast_of(make_study())
    assert (cast.parts, cast.pair, cast.missing) == ((), (), rollout_actors.NOTHING_KEPT)
    foreign = open_study(write_study(tmp_path / "other.log"), None, runs_dir)
    assert cast_of(foreign).missing == rollout_actors.FOREIGN


def test_kept_trials_play_the_defaults_against_the_best(make_study):
    folder = make_study(kept=(0, 1, 2))
    cast = cast_of(folder)
    assert labels(cast, cast.pair) == ["SB3 defaults", "Tuned (trial 2)"]
    assert [cast.part(key).actor.role for key in cast.pair] == ["baseline", "tuned"]
    assert cast.part("trial-2").actor.policy == KeptTrial(study=folder.id, number=2)
    assert cast.part("trial-2").note == "-150 in the search"
    assert {part.key for part in cast.parts} == {"trial-0", "trial-1", "trial-2"}
    assert (cast.env.id, cast.missing, cast.comparisons) == ("Pendulum-v1", "", ())


def test_the_best_is_the_smallest_where_a_study_minimises(make_study):
    cast = cast_of(make_study(kept=(1, 2, 3), maximize=False))
    assert labels(cast, cast.pair) == ["Tuned (trial 1)"]


def test_without_the_defaults_it_says_how_to_get_them(make_study):
    cast = cast_of(make_study(kept=(2,)))
    assert labels(cast, cast.pair) == ["Tuned (trial 2)"]
    assert cast.missing == rollout_actors.NO_DEFAULTS


def test_the_chosen_winner_goes_before_the_best(make_study):
    folder = make_study(kept=(0, 2, 3))
    write_winner(folder, Winner(trial=3, expected=-190.0, reevaluation=None, chosen_at=1.0))
    cast = cast_of(folder)
    assert labels(cast, cast.pair) == ["SB3 defaults", "Tuned (trial 3)"]


def test_of_re_evaluated_runs_the_median_stands_for_the_candidate(make_study):
    folder = make_study(kept=(2,))
    job = reevaluate(
        folder, {2: [-170.0, -160.0, -600.0, -180.0], 3: [-300.0] * 4, 0: [-1000.0, -1200.0, -1100.0]}
    )
    cast = cast_of(folder)
    assert labels(cast, cast.pair) == ["SB3 defaults (median of 3 runs)", "Tuned (trial 2, median of 4 runs)"]
    tuned = cast.part(cast.pair[1])
    assert tuned.value == -180.0, "of two in the middle the worse one"
    assert tuned.note == "-180 over 20 episodes"
    assert tuned.actor.policy == JobRun(job=job.id, run=3 * 3)
    assert cast.average_of(tuned.actor.policy) == "-180 on average over 20 episodes"
    assert cast.average_of(JobRun(job="another", run=0)) == "", "nobody knows"
    assert cast.missing == ""


def test_a_winner_with_more_runs_plays_its_median_although_another_one_is_better_on_average(make_study):
    folder = make_study()
    reevaluate(folder, {2: [-170.0, -160.0, -180.0], 3: [-100.0, -101.0, -102.0], 0: [-1000.0]})
    best = cast_of(folder)
    assert labels(best, best.pair)[1] == "Tuned (trial 3, median of 3 runs)"
    write_winner(folder, Winner(trial=2, expected=None, reevaluation=None, chosen_at=1.0))
    chosen = cast_of(folder)
    assert labels(chosen, chosen.pair)[1] == "Tuned (trial 2, median of 3 runs)"


def test_best_median_and_worst_are_one_click_away(make_study):
    folder = make_study()
    reevaluate(folder, {2: [-170.0, -160.0, -600.0], 0: [-1000.0, -1200.0, -1100.0]})
    cast = cast_of(folder)
    assert [c.label for c in cast.comparisons] == [
        "Best, median and worst run of trial 2",
        "Best, median and worst run of SB3 defaults",
    ]
    assert [cast.part(key).value for key in cast.comparisons[0].keys] == [-160.0, -170.0, -600.0]
    assert labels(cast, cast.comparisons[0].keys) == [
        f"Tuned (trial 2, {word} of 3 runs)" for word in ("best", "median", "worst")
    ]


def test_best_and_worst_change_places_where_a_study_minimises(make_study):
    folder = make_study(maximize=False)
    reevaluate(folder, {2: [3.0, 1.0, 2.0]}, maximize=False)
    cast = cast_of(folder)
    assert [cast.part(key).value for key in cast.comparisons[0].keys] == [1.0, 2.0, 3.0]


def test_runs_that_broke_or_lost_their_weights_do_not_play(make_study):
    folder = make_study()
    reevaluate(folder, {2: [None, -160.0, -170.0, -180.0]}, lost={1})
    parts = cast_of(folder).parts
    assert sorted(part.value for part in parts) == [-180.0, -170.0]
    assert [part.actor.label for part in parts] == [
        "Tuned (trial 2, worse of 2 runs)",
        "Tuned (trial 2, better of 2 runs)",
    ]
    assert parts[0].note == "-180 over 20 episodes; 1 other run gave no value"


def test_a_single_run_is_called_what_it_is(make_study):
    folder = make_study()
    reevaluate(folder, {2: [-160.0]})
    assert [part.actor.label for part in cast_of(folder).parts] == ["Tuned (trial 2, trained again)"]


def test_another_budget_is_named_and_more_episodes_of_kept_weights_are_no_policies(make_study):
    folder = make_study()
    reevaluate(folder, {2: [-160.0]}, n_timesteps=40_000)
    reevaluate(folder, {3: [-160.0]}, mode="weights")
    assert [part.actor.label for part in cast_of(folder).parts] == [
        "Tuned (trial 2, 40 000 steps, trained again)"
    ]


def test_labels_and_keys_are_each_their_own(make_study):
    folder = make_study(kept=(0, 1, 2, 3))
    reevaluate(folder, {2: [-160.0, -170.0, -180.0], 0: [-900.0, -901.0, -902.0]})
    reevaluate(folder, {2: [-161.0, -171.0, -181.0]}, n_timesteps=2000)
    reevaluate(folder, {2: [-162.0, -172.0]})
    parts = cast_of(folder).parts
    assert len({part.key for part in parts}) == len({part.actor.label for part in parts}) == len(parts)
    newest = [part.value for part in parts if part.trial == 2 and "of 2 runs" in part.actor.label]
    assert sorted(newest) == [-172.0, -162.0], "the newest of two alike"


def played(folder):
    """The job and the label of the tuned agent, and the job of the defaults, in the pair to begin with."""
    cast = cast_of(folder)
    defaults, tuned = (cast.part(key) for key in cast.pair)
    return tuned.job, tuned.actor.label, defaults.job


@pytest.mark.parametrize("ended", [None, "stopped", "failed"])
def test_one_that_has_just_started_hides_no_complete_one(make_study, ended):
    folder = make_study()
    whole = {2: [-170.0, -160.0, -180.0], 0: [-1000.0, -1001.0, -1002.0]}
    older = reevaluate(folder, whole)
    complete = reevaluate(folder, whole)
    reevaluate(folder, {2: [-600.0], 3: [-100.0], 0: [-900.0]}, ended=ended)
    assert played(folder) == (complete.id, "Tuned (trial 2, median of 3 runs)", complete.id)
    assert older.id not in {part.job for part in cast_of(folder).parts}


def test_of_those_that_are_not_finished_the_one_that_came_furthest_plays(make_study):
    folder = make_study()
    far = reevaluate(folder, {2: [-170.0, -160.0, -180.0], 0: [-1000.0]}, ended="stopped")
    reevaluate(folder, {2: [-600.0], 0: [-900.0]}, ended=None)
    assert played(folder) == (far.id, "Tuned (trial 2, median of 3 runs)", far.id)


@pytest.mark.parametrize("ended", ["finished", "stopped"])
def test_the_winner_plays_its_runs_of_the_re_evaluation_that_it_rests_on(make_study, ended):
    folder = make_study()
    basis = reevaluate(folder, {2: [-170.0, -160.0], 0: [-1000.0]}, n_timesteps=2000, ended=ended)
    newer = reevaluate(folder, {2: [-171.0] * 3, 0: [-1001.0] * 3})
    write_winner(folder, Winner(trial=2, expected=None, reevaluation=basis.id, chosen_at=1.0))
    assert played(folder) == (basis.id, "Tuned (trial 2, 2 000 steps, worse of 2 runs)", basis.id)
    write_winner(folder, Winner(trial=2, expected=None, reevaluation="gone-1a2b", chosen_at=1.0))
    assert played(folder)[0] == newer.id


def test_damaged_records_are_passed_over(make_study):
    folder = make_study(kept=(2,))
    job = reevaluate(folder, {2: [-160.0]})
    job.plan.write_text("{}")
    assert [part.key for part in cast_of(folder).parts] == ["trial-2"]


def test_imported_trials_play_from_where_they_ran(make_study):
    parent = make_study(kept=(2,))
    child = make_study(values=())
    study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(child.journal))
    rate = optuna.distributions.FloatDistribution(3e-5, 3e-3, log=True)
    study.add_trial(
        optuna.trial.create_trial(
            params={"learning_rate": 1e-3},
            distributions={"learning_rate": rate},
            value=-150.0,
            user_attrs={"imported_from": parent.id, "imported_trial": 2},
        )
    )
    (part,) = cast_of(child).parts
    assert part.actor.policy == KeptTrial(study=parent.id, number=2)
    assert part.actor.label == "Tuned (trial 0)"

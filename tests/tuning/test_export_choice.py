"""Which trial and which of its agents is taken home, when nobody says."""

import shutil
import time

import pytest

from storage.artifacts import kept_trials
from storage.winner import Winner, write_winner
from tests.shipped import BEST, N_TRIALS, SECOND, THIRD, reached
from tuning import launch
from tuning.export import ExportError, best_trial
from tuning.export_choice import NothingToExport, UnknownTrial, Which, choose_policy, choose_trial
from tuning.spec import build_spec

TWO = {
    f"trial {SECOND}": [-150.0, -152.0, -154.0],
    f"trial {BEST}": [-300.0, -310.0, -320.0],
    "defaults": [-1100.0] * 3,
}


def run_of(folder):
    return launch.read_run(folder)


def test_without_anything_else_the_best_of_the_search(recorded):
    run = run_of(recorded)
    chosen = choose_trial(run)
    assert chosen.trial.number == best_trial(run.study.trials, maximize=True).number == BEST
    assert chosen.why == "the best of the search"


def test_a_reevaluation_decides_before_the_search(recorded, add_reevaluation):
    add_reevaluation(recorded, TWO)
    chosen = choose_trial(run_of(recorded))
    assert (chosen.trial.number, chosen.why) == (SECOND, "recommended by its re-evaluation")


def test_two_runs_of_each_recommend_nothing(recorded, add_reevaluation):
    add_reevaluation(recorded, {key: means[:2] for key, means in TWO.items()})
    assert choose_trial(run_of(recorded)).why == "the best of the search"


def test_where_a_baseline_is_recommended_the_best_trial_of_those_measured_again(recorded, add_reevaluation):
    add_reevaluation(recorded, TWO | {"tuned": [-100.0] * 3})
    chosen = choose_trial(run_of(recorded))
    assert chosen.trial.number == SECOND
    assert chosen.why == "the best trial of its re-evaluation, which recommends RL Zoo's tuned values instead"
    assert chosen.instead.kind == "tuned"


def test_a_trial_that_is_named_has_the_same_reasons(recorded, add_reevaluation):
    assert choose_trial(run_of(recorded), BEST).why == "the best of the search"
    add_reevaluation(recorded, TWO | {"tuned": [-100.0] * 3})
    run = run_of(recorded)
    assert choose_trial(run, SECOND) == choose_trial(run)
    assert choose_trial(run, SECOND).instead.kind == "tuned"
    assert (choose_trial(run, 3).why, choose_trial(run, 3).instead) == ("picked by hand", None)
    write_winner(recorded, Winner(3, -160.0, None, time.time()))
    assert choose_trial(run, 3).why == "the winner that was chosen"


@pytest.mark.parametrize("newer", [[], [-100.0]], ids=["empty", "one run"])
def test_a_newer_reevaluation_that_has_hardly_begun_changes_neither_trial_nor_agent(
    recorded, add_reevaluation, newer
):
    older = add_reevaluation(recorded, TWO)
    add_reevaluation(recorded, {f"trial {SECOND}": [], f"trial {BEST}": newer}, n_seeds=10)
    run = run_of(recorded)
    assert choose_trial(run).trial.number == SECOND
    place = choose_policy(run, run.study.trials[BEST])
    assert (place.folder, place.job.folder) == (older, older)
    assert "median of 3 agents" in place.about


def test_a_person_decides_before_a_reevaluation(recorded, add_reevaluation):
    add_reevaluation(recorded, TWO)
    write_winner(recorded, Winner(THIRD, -160.0, None, time.time()))
    assert choose_trial(run_of(recorded)).trial.number == THIRD
    assert choose_trial(run_of(recorded), 3).trial.number == 3


def test_a_winner_that_is_no_trial_of_the_study_is_passed_over(recorded):
    write_winner(recorded, Winner(9999, None, None, time.time()))
    assert choose_trial(run_of(recorded)).trial.number == BEST


def test_what_is_not_there_is_said(recorded, runs_dir):
    with pytest.raises(UnknownTrial, match=rf"has no trial 999\. Its trials are 0 to {N_TRIALS - 1}"):
        choose_trial(run_of(recorded), 999)
    spec = build_spec({"name": "new", "env": {"id": "Pendulum-v1"}, "search_space": "starter"})
    folder = launch.create_study(spec, runs_dir)  # with the defaults queued
    with pytest.raises(NothingToExport):
        choose_trial(run_of(folder))
    with pytest.raises(NothingToExport, match="has not started"):
        choose_trial(run_of(folder), 0)


def test_the_agent_is_the_one_of_the_search_until_the_trial_is_trained_again(recorded, add_reevaluation):
    run = run_of(recorded)
    trial = run.study.trials[BEST]
    place = choose_policy(run, trial)
    assert (place.folder, place.number, place.is_run) == (recorded, BEST, False)
    assert f"Its last evaluation gave {reached(BEST)}." in place.about
    job = add_reevaluation(recorded, TWO)
    place = choose_policy(run, trial)
    assert (place.folder, place.is_run) == (job, True)
    assert "median of 3 agents" in place.about
    assert "-310 over 20 episodes" in place.about
    assert choose_policy(run, trial, Which.SEARCH).folder == recorded


@pytest.mark.parametrize(
    ("means", "expected"), [([-1.0, -9.0, -3.0], -3.0), ([-1.0, -9.0, -3.0, -4.0], -4.0), ([-2.0], -2.0)]
)
def test_the_median_run_is_the_worse_of_two_middle_ones(recorded, add_reevaluation, means, expected):
    job = add_reevaluation(recorded, {f"trial {SECOND}": means, "defaults": [-1100.0] * len(means)})
    run = run_of(recorded)
    place = choose_policy(run, run.study.trials[SECOND])
    from tuning.retraining_plan import load_plan, read_results

    plan = load_plan(job)
    assert read_results(job, plan)[plan.runs[place.number].key].mean == expected


def test_where_the_median_run_kept_nothing_it_is_the_one_of_the_search(recorded, add_reevaluation):
    job = add_reevaluation(recorded, TWO)
    run = run_of(recorded)
    shutil.rmtree(job.weights / str(choose_policy(run, run.study.trials[SECOND]).number))
    assert choose_policy(run, run.study.trials[SECOND]).folder == recorded


def test_without_weights_it_says_what_can_be_had(recorded):
    run = run_of(recorded)
    number = next(t.number for t in run.study.trials if t.number not in kept_trials(recorded))
    with pytest.raises(ExportError, match=r"No weights of trial .* YAML, Python or JSON"):
        choose_policy(run, run.study.trials[number])


def test_damaged_weights_are_an_expected_error(recorded):
    run = run_of(recorded)
    place = choose_policy(run, run.study.trials[BEST])
    (recorded.weights / str(BEST) / "policy.npz").write_bytes(b"no archive")
    with pytest.raises(ExportError, match="cannot be read"):
        place.load()


def test_a_single_agent_that_was_trained_anew_is_no_median(recorded, add_reevaluation):
    job = add_reevaluation(recorded, {f"trial {SECOND}": [-150.0], f"trial {BEST}": [-300.0]})
    run = run_of(recorded)
    place = choose_policy(run, choose_trial(run, SECOND).trial)
    assert place.folder == job
    assert place.about.startswith("The only agent that was trained anew on a fresh seed. Its mean return")

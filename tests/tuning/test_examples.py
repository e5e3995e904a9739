import re

import pytest
from optuna.trial import TrialState

from storage import artifacts
from storage.live import read_curve
from storage.paths import RunFolder
from storage.trials import BASELINE, counted, origin, own, ranked
from tests.shipped import BEST, BEST_AGAIN, RANKED
from tuning import examples, launch
from tuning.analysis.reevaluation import reevaluation_info
from tuning.analysis.saturation import saturation_info
from tuning.analysis.verdicts import Verdict
from tuning.jobs import JobState
from tuning.lineage import parent_of, trial_home
from tuning.policy import rebuild_policy
from tuning.race import spared
from tuning.reevaluation_jobs import find_reevaluations
from tuning.rollout_jobs import find_rollouts
from tuning.space.limits import spec_limits
from tuning.spec import load_spec

MAX_EXAMPLE_BYTES = 4_000_000


def test_the_story_is_the_starter_space_on_pendulum():
    spec = examples.pendulum_story()
    assert (spec.env.id, spec.budget.n_trials) == ("Pendulum-v1", 60)


@pytest.fixture
def shipped(tmp_path):
    folder = tmp_path / "examples" / "recorded"
    (folder / "curves").mkdir(parents=True)
    (folder / "job.json").write_text("{}")
    (folder / "curves" / "0.jsonl").write_text("")
    for path in (folder / "job.json", folder / "curves" / "0.jsonl"):
        path.chmod(0o444)
    return folder


def test_a_copy_is_private_and_can_be_written(shipped, tmp_path):
    copy = examples.copy_recorded(shipped, tmp_path / "runs")
    assert copy == RunFolder(tmp_path / "runs" / "recorded")
    assert copy.path.stat().st_mode & 0o777 == 0o700
    assert copy.job.stat().st_mode & 0o200
    assert (copy.curves / "0.jsonl").is_file()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["recorded"]


def test_a_copy_that_is_there_is_not_replaced(shipped, tmp_path):
    copy = examples.copy_recorded(shipped, tmp_path / "runs")
    copy.log.write_text("mine")
    assert examples.copy_recorded(shipped, tmp_path / "runs").log.read_text() == "mine"


@pytest.fixture
def recorded(tmp_path):
    (source,) = examples.recorded()
    return launch.read_run(examples.copy_recorded(source, tmp_path.resolve() / "runs"))


@pytest.mark.parametrize("name", ["pendulum.yaml", "smoke.yaml"])
def test_shipped_specs_are_valid(name):
    assert load_spec(examples.FOLDER / name).algorithm == "PPO"


def test_the_recorded_study_is_whole(recorded):
    assert recorded.status.state == JobState.FINISHED
    trials = recorded.study.trials
    assert len(counted(trials)) == recorded.spec.budget.n_trials >= 60
    assert {t.state for t in trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert all(read_curve(recorded.folder, t.number).episodes for t in trials)


def test_the_recorded_study_tells_the_story(recorded):
    best = ranked(recorded.study.trials, maximize=True)[0]
    (baseline,) = [t for t in recorded.study.trials if BASELINE in t.user_attrs]
    assert baseline.value < -900
    assert best.value > -250


def test_the_best_recorded_policies_can_be_rebuilt(recorded):
    best = [t.number for t in ranked(recorded.study.trials, maximize=True)[:5]]
    (baseline,) = [t.number for t in recorded.study.trials if BASELINE in t.user_attrs]
    assert best == RANKED
    assert artifacts.kept_trials(recorded.folder) == {*best, baseline}
    rebuild_policy(artifacts.load_policy(recorded.folder, best[0]))


@pytest.fixture
def measured(recorded):
    (job,) = find_reevaluations(recorded.folder)
    return job


def test_the_recorded_re_evaluation_is_whole(measured):
    assert measured.status.state == JobState.FINISHED
    assert measured.progress.done == measured.progress.total == len(measured.results)
    assert {r.state for r in measured.results.values()} == {"ok"}
    trainers = {key.split(",")[0]: r.trainer.words for key, r in measured.results.items()}
    assert trainers == {
        c.key: "Stable-Baselines3 (gSDE)" if c.key == "tuned" else "fast kernels"
        for c in measured.question.candidates
    }
    assert all(len(r.returns) == measured.question.n_episodes >= 50 for r in measured.results.values())
    assert measured.question.n_seeds >= 10
    done = [index for index, run in enumerate(measured.plan.runs) if run.key in measured.results]
    assert all(read_curve(measured.folder, index).evaluations for index in done)
    assert 0 < len(spared(measured.question, measured.results).runs) == len(measured.plan.runs) - len(done)


def test_the_recorded_re_evaluation_tells_who_is_really_best(measured):
    info = reevaluation_info(measured.question, measured.results)
    by_key = {c.candidate.key: c for c in info.candidates}
    assert by_key["defaults"].mean < -1000
    best = max((c for c in info.candidates if c.candidate.kind == "trial"), key=lambda c: c.mean)
    assert best.search_rank > 1, "the trial that looked best in the search is not the one that is"
    lucky = by_key[f"trial {BEST}"]
    assert lucky.search_rank == 1
    assert lucky.mean < lucky.candidate.search_value - 100
    assert best.mean > lucky.mean + 50
    trials = [c for c in info.candidates if c.candidate.kind == "trial"]
    assert all(c.mean < c.candidate.search_value for c in trials), "the search's values flatter every one"
    assert info.winner.candidate.key == "tuned"
    assert info.best_trial.candidate.trial == BEST_AGAIN


def test_the_policies_of_what_pages_show_were_kept(measured):
    kept = artifacts.kept_trials(measured.folder)
    for key in (f"trial {BEST_AGAIN}", "defaults", "tuned"):
        runs = {
            index
            for index, run in enumerate(measured.plan.runs)
            if run.key in measured.results and run.key.startswith(f"{key},")
        }
        assert runs
        assert runs <= kept, "a median of some of the runs would be no median"
    first = artifacts.load_policy(measured.folder, min(kept))
    assert first.request["value"] == measured.results[measured.plan.runs[min(kept)].key].mean
    rebuild_policy(first)


def test_the_recorded_rollout_shows_the_defaults_against_the_tuned_agent(recorded):
    (job,) = find_rollouts(recorded.folder)
    assert job.status.state == JobState.FINISHED
    assert [actor.role for actor in job.request.actors] == ["baseline", "tuned"]
    defaults, tuned = (actor.episodes[0].total for actor in job.result.actors)
    assert tuned > defaults + 300
    assert job.best_video is not None
    assert job.poster is not None
    assert all(job.video(index) is not None for index in range(2))


def test_what_is_recorded_names_no_folder_of_the_machine():
    written = [*examples.FOLDER.glob("*/jobs/**/*.json*"), *examples.FOLDER.glob("*/rollouts/**/*.json")]
    for path in written:
        assert not re.search(r"/(home|root|tmp|work|Users)/", path.read_text()), path


def test_what_is_recorded_is_small():
    for source in (*examples.recorded(), *examples.recorded_pairs()[0]):
        assert sum(p.stat().st_size for p in source.rglob("*")) < MAX_EXAMPLE_BYTES


@pytest.fixture
def pair(tmp_path):
    """Copies of the study whose space was too narrow, and of the one that continues it."""
    root = tmp_path.resolve() / "runs"
    return [launch.read_run(examples.copy_recorded(source, root)) for source in examples.recorded_pairs()[0]]


def test_the_recorded_pair_shows_a_range_that_was_too_narrow_and_what_widening_it_gave(pair):
    parent, child = pair
    info = saturation_info(parent.study.trials, maximize=True, limits=spec_limits(parent.spec))
    found = {p.name: (p.verdict, p.side, p.suggested) for p in info.parameters}
    rate, gamma = found["learning_rate"], found["gamma"]
    assert (rate[:2], gamma[:2]) == ((Verdict.EDGE, "high"), (Verdict.EDGE, "low"))
    best_before, best_after = (ranked(own(run.study.trials), maximize=True)[0] for run in pair)
    assert best_after.value > best_before.value + 300
    assert best_after.params["learning_rate"] > parent.spec.parameter("learning_rate").high
    assert best_after.params["gamma"] < parent.spec.parameter("gamma").low
    assert child.spec.parameter("learning_rate").high == rate[2][1]
    assert child.spec.parameter("gamma").low == gamma[2][0]


def test_the_recorded_child_knows_its_parent_and_finds_its_weights(pair):
    parent, child = pair
    known = parent_of(child.folder)
    assert known.id == parent.folder.id
    best = ranked(parent.study.trials, maximize=True)[0].number
    copy = next(t for t in child.study.trials if origin(t) == (parent.folder.id, best))
    home = trial_home(child.folder, copy)
    assert (home.folder, home.number) == (parent.folder, best)
    rebuild_policy(artifacts.load_policy(home.folder, home.number))

"""Probes on disk, with a real runner and real training where it matters."""

import pytest
from optuna.trial import create_trial

from storage import locks
from storage.journal import append_trials
from storage.paths import RunFolder, list_runs
from tuning import launch
from tuning.analysis.probe import probe_info
from tuning.jobs import AlreadyRunning, JobState, job_status
from tuning.probe import plan_probe
from tuning.probe_jobs import UnreadableProbe, find_probes, read_probe, resume_probe, start_probe


@pytest.fixture
def study(runs_dir, fault_spec):
    """A study with two complete trials that nobody trained."""
    spec = fault_spec(defaults_first=False, budget={"n_timesteps": 128})
    folder = launch.create_study(spec, runs_dir)
    declared = {p.name: p.distribution() for p in spec.search_space}
    trials = [
        create_trial(
            value=-5.0 - n, params={"learning_rate": 9e-3, "gamma": 0.95 - n / 40}, distributions=declared
        )
        for n in range(2)
    ]
    append_trials(folder.journal, trials)
    return folder


def planned(study, **over):
    return plan_probe(launch.read_run(study), "learning_rate", "high", **{"n_seeds": 2, **over})


def test_a_probe_runs_and_answers(study, runs_dir, fault_envs, wait_until_ended, end_processes_under):
    try:
        probe = start_probe(study, planned(study, n_seeds=1))
        assert list_runs(runs_dir) == [study], "a probe is no study"
        with pytest.raises(AlreadyRunning, match=r"A probe of .* is running"):
            start_probe(study, planned(study))
        with pytest.raises(launch.Busy, match=r"A probe of .* is running: stop it first"):
            launch.delete(study)
        (job,) = find_probes(study, "learning_rate")
        assert job.status.state == JobState.RUNNING
        assert job.progress.total == 6
        assert wait_until_ended(probe).state == JobState.FINISHED
    finally:
        end_processes_under(runs_dir)
    job = read_probe(probe)
    assert (job.progress.done, job.progress.fraction) == (6, 1.0)
    info = probe_info(job.question, job.results, n_runs=len(job.plan.runs))
    assert [len(value.pairs) for value in info.values] == [2, 2]
    assert info.n_lost == 0
    launch.delete(study)
    assert not probe.path.exists()


def test_the_newest_probe_comes_first_with_seeds_of_its_own_whenever_it_was_planned(study, monkeypatch):
    monkeypatch.setattr(launch, "start", lambda folder: None)
    plans = [planned(study), planned(study)]
    first, second = (start_probe(study, plan) for plan in plans)
    found = find_probes(study)
    assert [job.folder for job in found] == [second, first]
    seeds = [{run.train_seed for run in job.plan.runs} for job in found]
    assert not seeds[0] & seeds[1]


def test_probes_are_found_by_parameter_and_unreadable_ones_only_by_all(study, monkeypatch):
    monkeypatch.setattr(launch, "start", lambda folder: None)
    good = start_probe(study, planned(study))
    broken = start_probe(study, planned(study))
    broken.question.write_text('{"parameter": 3}')
    assert [j.folder for j in find_probes(study, "learning_rate")] == [good]
    assert find_probes(study, "gamma") == []
    unreadable = [j for j in find_probes(study) if isinstance(j, UnreadableProbe)]
    assert [j.folder for j in unreadable] == [broken]
    assert "probe.json" in unreadable[0].reason
    assert job_status(good).state == JobState.CREATED


def test_a_study_without_probes(study):
    assert find_probes(study) == []


@pytest.mark.parametrize("act", ["start", "resume"])
def test_two_presses_start_one_probe(study, monkeypatch, act):
    """The second press comes while the first is still between its check and its start."""
    monkeypatch.setattr(launch, "start", lambda folder: None)
    probe = start_probe(study, planned(study))
    with locks.FileLock(study.jobs / ".start.lock"), pytest.raises(AlreadyRunning, match="being started"):
        start_probe(study, planned(study)) if act == "start" else resume_probe(study, probe)
    assert list_runs(study.jobs) == [RunFolder(probe.path)]


def test_the_probe_of_another_study_does_not_matter(study, runs_dir, fault_spec, monkeypatch):
    other = launch.create_study(fault_spec(), runs_dir)
    other.jobs.mkdir()
    monkeypatch.setattr(launch, "start", lambda folder: None)
    probe = start_probe(study, planned(study))
    with locks.FileLock(probe.lock):
        with pytest.raises(AlreadyRunning):
            resume_probe(study, probe)
        resume_probe(other, probe)

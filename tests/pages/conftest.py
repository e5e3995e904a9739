"""Studies in every state, made without training, and the app as AppTest runs it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from storage.journal import STUDY_NAME, open_journal
from storage.live import append_curve
from storage.locks import is_held
from storage.paths import RunFolder
from storage.records import write_record
from storage.trials import EVALUATIONS, FAILURE, RESOLVED, RUN, TIMESTEPS, TRAINER
from tuning import env_survey, launch
from tuning.space.resolve import resolve_configuration
from tuning.spec import StudySpec, build_spec
from tuning.trainers import TrainerUsed

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 30

NO_PICTURE = "Nothing draws in this test."

MakeStudy = Callable[..., RunFolder]
OpenPage = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _no_children_look_at_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that want pictures, or to know what each environment is like, say so themselves."""
    monkeypatch.setattr(env_survey, "survey_from_children", lambda ids: iter(()))
    monkeypatch.setattr(env_survey, "picture_from_child", lambda env: NO_PICTURE)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty runs folder that the app uses."""
    root = tmp_path / "runs"
    monkeypatch.setenv("EDGEWISE_RUNS_DIR", str(root))
    st.cache_data.clear()
    st.cache_resource.clear()
    return root


@pytest.fixture
def make_study(runs: Path) -> MakeStudy:
    """Make a study with these trials, ended as `state` says (None: its runner never started)."""

    def make(
        name: str = "demo",
        *,
        n_complete: int = 4,
        n_pruned: int = 1,
        n_failed: int = 1,
        state: str | None = "finished",
        reason: str = "All 5 trials are done.",
        n_trials: int = 5,
        env_id: str = "Pendulum-v1",
        search_space: str = "learning-rate-only",
        failure: str = "ValueError: boom",
        failure_kind: str = "error",
    ) -> RunFolder:
        spec = tiny_spec(name, n_trials=n_trials, env_id=env_id, search_space=search_space)
        folder = launch.create_study(spec, runs)
        sampler = optuna.samplers.RandomSampler(seed=1)  # the same trials each time: some tests count them
        storage = open_journal(folder.journal)
        study = optuna.load_study(study_name=STUDY_NAME, storage=storage, sampler=sampler)
        for index in range(n_complete + n_pruned + n_failed):
            trial = study.ask()
            params = {p.name: p.suggest(trial) for p in spec.search_space}
            trial.set_user_attr(RESOLVED, resolve_configuration(spec, params))
            trial.set_user_attr(
                RUN, {"pid": 1, "task": index, "train_seed": 1, "eval_seed": 2, "alone": False}
            )
            used = TrainerUsed("sb3", "gSDE <b>") if index == 1 else TrainerUsed("fast")
            trial.set_user_attr(TRAINER, used.record())
            value = -1000.0 + 100.0 * index
            trial.report(value, 500)
            marks = [{"mark": 500, "timesteps": 512, "mean": value, "std": 20.0, "n_episodes": 2}]
            trial.set_user_attr(EVALUATIONS, marks)
            append_curve(folder, trial.number, [(200, -1200.0), (400, value)], [(512, value, 20.0)])
            if index < n_complete:
                trial.set_user_attr(TIMESTEPS, 1024)
                study.tell(trial, value)
            elif index < n_complete + n_pruned:
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            else:
                record = {"kind": failure_kind, "message": failure, "traceback": f"Traceback ...\n{failure}"}
                trial.set_user_attr(FAILURE, record)
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
        if state is not None:
            write_record(folder.runner, {"pid": 1, "pid_created": 1.0, "started_at": time.time() - 60})
            if state != "interrupted":
                write_record(folder.exit, {"state": state, "reason": reason, "ended_at": time.time() - 5})
        return folder

    return make


@pytest.fixture
def running(make_study: MakeStudy) -> Iterator[RunFolder]:
    """A study whose lock a real process holds, with one RUNNING trial that has a heartbeat and a curve."""
    folder = make_study("busy", state=None, n_trials=12)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder.path)], cwd=ROOT)
    deadline = time.monotonic() + 30
    while not (is_held(folder.lock) and list(folder.heartbeats.glob("*.json"))):
        assert holder.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield folder
    holder.kill()
    holder.wait()


# What a runner with one worker looks like from outside.
HOLDER = """
import os, sys, time
from pathlib import Path
import optuna, psutil
from storage.journal import STUDY_NAME, open_journal
from storage.live import Heartbeat, append_curve, write_heartbeat
from storage.locks import FileLock
from storage.paths import RunFolder
from storage.records import write_record

folder = RunFolder(Path(sys.argv[1]))
with FileLock(folder.lock):
    me = {"pid": os.getpid(), "pid_created": psutil.Process().create_time(), "started_at": time.time()}
    write_record(folder.runner, me)
    folder.log.write_text("10:00:00  study started\\n10:00:01  trial 7 <b>collects</b>\\n")
    study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
    trial = study.ask()
    trial.suggest_float("learning_rate", 3e-5, 3e-3, log=True)
    append_curve(folder, trial.number, [(k * 20, -1300.0 + k) for k in range(1, 25)], [(256, -1100.0, 30.0)])
    start = time.time()
    while True:
        beat = Heartbeat(trial.number, me["pid"], me["pid_created"], "update", 500, 1000, 1234.0, 24, -1276.0,
                         -1100.0, start, time.time())
        write_heartbeat(folder, beat)
        time.sleep(0.3)
"""


@pytest.fixture
def open_page(runs: Path) -> OpenPage:
    """Open a page file (None: the first page) as a deep link with these query parameters would."""

    def open_one(file: str | None = None, **params: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=TIMEOUT_S)
        if file is None:
            for key, value in params.items():
                app.query_params[key] = value
            return app.run()
        app.run()
        app.switch_page(file)
        for key, value in params.items():
            app.query_params[key] = value
        return app.run()

    return open_one


def tiny_spec(
    name: str = "demo",
    *,
    n_trials: int = 5,
    env_id: str = "Pendulum-v1",
    search_space: str = "learning-rate-only",
) -> StudySpec:
    """A spec whose trials take no time."""
    return build_spec(
        {
            "name": name,
            "env": {"id": env_id},
            "search_space": search_space,
            "budget": {"n_trials": n_trials, "n_timesteps": 1000, "n_evaluations": 2, "n_eval_episodes": 2},
            "defaults_first": False,
            "tuned_first": False,
        }
    )


def shown(app: AppTest) -> str:
    """Return all text of the page's main part and its sidebar, for `in` tests."""
    assert not app.exception, app.exception
    parts = []
    for kind in ("title", "subheader", "caption", "markdown", "text", "info", "warning", "error", "success"):
        parts += [str(element.value) for element in getattr(app, kind)]
    parts += [f"{metric.label}: {metric.value}" for metric in app.metric]
    parts += [str(progress.text) for progress in app.progress]
    parts += [str(code.value) for code in app.code]
    parts += [button.label for button in app.button]
    return "\n".join(parts)


@pytest.fixture(name="shown")
def _shown() -> Callable[[AppTest], str]:
    return shown


@pytest.fixture
def holding() -> Iterator[Callable[[RunFolder], None]]:
    """Hold a job's lock in a process of its own, as its runner would."""
    holders = []

    def hold(folder):
        code = (
            "import sys, time; from pathlib import Path; from storage.locks import FileLock\n"
            "with FileLock(Path(sys.argv[1])): time.sleep(60)"
        )
        holders.append(subprocess.Popen([sys.executable, "-c", code, str(folder.lock)], cwd=ROOT))
        deadline = time.monotonic() + 30
        while not is_held(folder.lock):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    yield hold
    for holder in holders:
        holder.kill()
        holder.wait()


@pytest.fixture
def words(shown):
    """All that is shown, without the backslashes that keep a study's text from being Markdown."""
    return lambda app: shown(app).replace("\\", "")


@pytest.fixture(autouse=True)
def _quiet_optuna() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    os.environ.pop("EDGEWISE_ENV_PACKAGES", None)

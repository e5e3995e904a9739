"""RL Zoo and Edgewise, each started the way a person starts it, on the study that one `StudySpec` describes.

Both run in processes of their own with this interpreter and write into a folder of the caller's; whatever
they started ends with the `with` block. What the spec says reaches both: environment, number of envs, budget,
evaluations, pruner, start-up trials, workers. What differs is in docs/speed.md.
"""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import optuna
import psutil
import yaml
from optuna.distributions import BaseDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial

from storage.journal import STUDY_NAME, open_journal
from storage.paths import RunFolder
from tuning import jobs, launch
from tuning.algorithms import algorithm
from tuning.spec import StudySpec

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
STOP_WAIT_S = 15.0
LOG_TAIL_CHARS = 2000

Configuration = Mapping[str, Any]  # stored values by parameter name, as Optuna keeps them


class Search(ABC):
    """One program that searches. Enter it, `start()` it; leaving ends whatever is left of it."""

    def __init__(self, spec: StudySpec, folder: Path, configurations: Sequence[Configuration] = ()) -> None:
        """Prepare the study and queue configurations in it; none of that is timed.

        Args:
            spec: what is searched and how.
            folder: an empty one, for everything that the search writes.
            configurations: the first trials, in this order.
        """
        self.spec = spec
        self.folder = folder
        self.launched_at = 0.0  # seconds since the epoch
        self._log = folder / "output.log"
        self._started: list[subprocess.Popen[bytes]] = []
        self._study = self._create()
        for configuration in configurations:
            self._study.enqueue_trial(dict(configuration))

    def start(self) -> None:
        """Start it; the clock begins here."""
        with self._log.open("wb") as log:
            self.launched_at = time.time()
            for command in self._commands():
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self._working_folder(),
                    env=self._environment(),
                    start_new_session=True,
                )
                self._started.append(process)

    def wait(self) -> float:
        """Wait until all that was started has exited by itself and return the seconds since then.

        Raises:
            RuntimeError: something exited with a code other than 0; quotes the end of its output.
        """
        codes = [process.wait() for process in self._started]
        seconds = time.time() - self.launched_at
        if any(codes):
            raise RuntimeError(f"{self._commands()} ended with {codes}:\n{self.output_tail()}")
        return seconds

    @property
    def alive(self) -> bool:
        """Whether anything that was started still runs."""
        return any(process.poll() is None for process in self._started)

    def trials(self) -> list[FrozenTrial]:
        """Return the trials as its journal has them now, by number; not copied."""
        return self._study.get_trials(deepcopy=False)

    def output_tail(self) -> str:
        """Return the end of what it printed."""
        return self._log.read_text(errors="replace")[-LOG_TAIL_CHARS:]

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep every process of the search still for the time of the block."""
        processes = self._processes()
        try:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.suspend()
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def end(self) -> None:
        """Kill whatever still runs."""
        doomed = self._processes()
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(doomed, timeout=STOP_WAIT_S)
        for started in self._started:
            started.wait()

    def __enter__(self) -> "Search":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def _processes(self) -> list[psutil.Process]:
        """Return what runs for the search, parents first: a parent that stands still starts nothing new."""
        return [p for started in self._started if started.poll() is None for p in _with_children(started.pid)]

    def _environment(self) -> dict[str, str]:
        """Return the caller's environment without its own say about threads."""
        return {name: value for name, value in os.environ.items() if name not in THREADS}

    @abstractmethod
    def _create(self) -> optuna.Study: ...

    @abstractmethod
    def _commands(self) -> list[list[str]]: ...

    @abstractmethod
    def _working_folder(self) -> Path: ...


class EdgewiseSearch(Search):
    """`python -m tuning resume STUDY --wait`, on a study that was created before."""

    def _create(self) -> optuna.Study:
        self._run: RunFolder = launch.create_study(self.spec, self.folder.resolve())
        return optuna.load_study(study_name=STUDY_NAME, storage=open_journal(self._run.journal))

    def _commands(self) -> list[list[str]]:
        command = [sys.executable, "-m", "tuning", "resume", self._run.id, "--wait"]
        return [[*command, "--runs-dir", str(self._run.path.parent)]]

    def _working_folder(self) -> Path:
        return jobs.PROJECT_ROOT

    def _processes(self) -> list[psutil.Process]:
        """Return the command's process, and the runner, which is detached from it, with its workers."""
        status = jobs.job_status(self._run)
        runner = _with_children(status.pid) if status.state.alive and status.pid else []
        return [*super()._processes(), *runner]

    def end(self) -> None:
        """Ask the runner to stop, then kill what is left."""
        stop_job(self._run)
        super().end()


class RlZooSearch(Search):
    """`python -m rl_zoo3.train --optimize`, for each of the spec's workers a thread or a process.

    The spec's search space must be the preset `rl-zoo`, which is RL Zoo's own, or `starter`.
    """

    def __init__(
        self,
        spec: StudySpec,
        folder: Path,
        configurations: Sequence[Configuration] = (),
        *,
        threads: int,
        processes: bool = False,
    ) -> None:
        """Prepare the study.

        Args:
            spec: what is searched and how.
            folder: an empty one, for everything that the search writes.
            configurations: the first trials, in this order.
            threads: of torch and BLAS, 0 for as many as they take by themselves.
            processes: start a process with one job for each worker, all on one journal, instead of one with
                `--n-jobs`.
        """
        self._threads = threads
        self._in_processes = processes
        self._space_options = _space_options(spec)
        super().__init__(spec, folder, configurations)

    def _create(self) -> optuna.Study:
        spec, config = self.spec, {"n_envs": self.spec.n_train_envs, "policy": self.spec.policy}
        config |= {"n_timesteps": spec.budget.n_timesteps, **spec.hyperparameters}
        self._config.write_text(yaml.safe_dump({spec.env.id: config}))
        return optuna.create_study(
            study_name=STUDY_NAME,
            storage=JournalStorage(JournalFileBackend(str(self._journal))),
            direction="maximize",
        )

    @property
    def _config(self) -> Path:
        return self.folder / "config.yml"

    @property
    def _journal(self) -> Path:
        return self.folder / "journal.log"

    def _commands(self) -> list[list[str]]:
        n = self.spec.n_workers
        if self._in_processes:
            return [
                self._command("--max-total-trials", n_jobs=1, seed=self.spec.seed * n + k) for k in range(n)
            ]
        return [self._command("--n-trials", n_jobs=n, seed=self.spec.seed)]

    def _command(self, budget_option: str, *, n_jobs: int, seed: int) -> list[str]:
        spec = self.spec
        options: dict[str, Any] = {
            "--algo": spec.algorithm.lower(),
            "--env": spec.env.id,
            "--conf-file": self._config,
            "--n-timesteps": spec.budget.n_timesteps,
            budget_option: spec.budget.n_trials,
            "--n-jobs": n_jobs,
            "--n-evaluations": spec.budget.n_evaluations,
            "--eval-episodes": spec.budget.n_eval_episodes,
            "--n-eval-envs": spec.n_eval_envs,
            "--sampler": spec.sampler.name,
            "--n-startup-trials": spec.sampler.n_startup_trials,
            "--pruner": spec.pruner.name,
            "--seed": seed,
            "--storage": self._journal,
            "--study-name": STUDY_NAME,
            "--log-folder": self.folder / "logs",
            "--device": "cpu",
        }
        words = [str(word) for option in options.items() for word in option]
        command = [sys.executable, "-m", "rl_zoo3.train", "--optimize", "--no-optim-plots", *words]
        return [*command, *self._space_options]

    def _working_folder(self) -> Path:
        return self.folder

    def _environment(self) -> dict[str, str]:
        inherited = super()._environment()
        inherited["TMPDIR"] = str(self.folder)  # SB3 leaves an empty log folder there for every trial
        inherited["PYTHONPATH"] = str(jobs.PROJECT_ROOT)  # for our space
        if self._threads:
            inherited |= {name: str(self._threads) for name in THREADS}
        return inherited


def stop_job(folder: RunFolder) -> None:
    """End a job of ours at once, where it still runs, and wait until it has ended."""
    launch.stop(folder, "now")
    deadline = time.monotonic() + STOP_WAIT_S
    while jobs.job_status(folder).state.alive and time.monotonic() < deadline:
        time.sleep(0.05)


def leave_nothing_when_ended() -> None:
    """Turn Ctrl-C and SIGTERM into an exit that ends every search and removes its folder."""

    def leave(number: int, _: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)  # a second one would break off the clearing up
        print("\nEnding what was started.", flush=True)
        sys.exit(128 + number)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, leave)


def require_rl_zoo() -> None:
    """Exit with a sentence where this interpreter has no RL Zoo."""
    if importlib.util.find_spec("rl_zoo3") is None:
        sys.exit(
            "RL Zoo is not installed beside this interpreter. In the project's folder:\n"
            "  python3 -m venv .venv-bench && .venv-bench/bin/pip install -r requirements-bench.txt\n"
            "and run the benchmark with .venv-bench/bin/python."
        )


def faults(
    trials: Sequence[FrozenTrial], spec: StudySpec, configurations: Sequence[Configuration]
) -> list[str]:
    """Return why trials are not the queued configurations, each of them complete; empty when they are."""
    found = []
    if len(trials) != len(configurations):
        found.append(f"{len(trials)} trials instead of {len(configurations)}")
    space: dict[str, BaseDistribution] = {p.name: p.distribution() for p in spec.search_space}
    for trial, configuration in zip(trials, configurations, strict=False):
        if trial.state != optuna.trial.TrialState.COMPLETE:
            found.append(f"trial {trial.number} is {trial.state.name}")
        elif trial.params != dict(configuration):
            found.append(f"trial {trial.number} trained {trial.params}, not {dict(configuration)}")
        elif trial.distributions != space:
            found.append(f"trial {trial.number} was sampled from {trial.distributions}, not from {space}")
    return found


def _space_options(spec: StudySpec) -> list[str]:
    known = algorithm(spec.algorithm)
    if spec.search_space == tuple(known.preset("rl-zoo").space):
        return []
    if spec.search_space == tuple(known.preset("starter").space):
        return ["--gym-packages", "benchmarks.rl_zoo_starter_space"]
    raise ValueError(f"RL Zoo can search the presets rl-zoo and starter: {spec.name} has another space.")


def _with_children(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []

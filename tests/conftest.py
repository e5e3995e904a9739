"""What every test may use, and two guards: nothing is written to the project's runs/, no process stays."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[1]
OWN_RUNS = PROJECT_ROOT / "runs"
GRACE_S = 5.0  # what a stopping runner may still take once the last test has ended

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
PATH_EVENTS = {
    "open",
    "os.mkdir",
    "os.rename",
    "os.link",
    "os.symlink",
    "os.remove",
    "os.rmdir",
    "os.truncate",
}


def refuse_own_runs(event: str, args: tuple) -> None:
    if event not in PATH_EVENTS or (event == "open" and not (args[2] or 0) & WRITING):
        return
    for path in args[:2]:
        if isinstance(path, str) and "runs" in path:
            absolute = Path(os.path.abspath(path))
            if absolute == OWN_RUNS or OWN_RUNS in absolute.parents:
                raise PermissionError(f"A test touched {absolute}: use the runs_dir fixture.")


def lies_in(folder: Path, path: str) -> bool:
    """Say whether `path` is `folder` or below it. `gw10` is not below `gw1`, and its tests run meanwhile."""
    return folder in [Path(path), *Path(path).parents]


def processes_under(folder: Path) -> list[psutil.Process]:
    """Return the runners that work in `folder`, their workers, and workers that outlived their runner."""
    here = psutil.Process()
    family = {here.pid, *(p.pid for p in here.parents()), *(p.pid for p in here.children(recursive=True))}
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            argv = process.cmdline()
            if "tuning.runner" in argv and any(lies_in(folder, argument) for argument in argv):
                found |= {p.pid: p for p in [process, *process.children(recursive=True)]}
            elif process.pid not in family and process.status() != psutil.STATUS_ZOMBIE:
                # a worker's argv names no folder, and an orphan has no parent that does
                if lies_in(folder, process.environ().get("EDGEWISE_RUNS_DIR", "")):
                    found[process.pid] = process
        except psutil.Error:
            continue  # it ended meanwhile, or is not ours
    return list(found.values())


def describe(process: psutil.Process) -> str:
    try:
        return f"{process.pid}: {' '.join(process.cmdline())[:200]}"
    except psutil.Error:
        return f"{process.pid}: already gone"


def end(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=5)


@pytest.fixture(scope="session")
def end_processes_under() -> Callable[[Path], None]:
    """Kill every runner and worker that belongs to a folder."""
    return lambda folder: end(processes_under(folder))


@pytest.fixture(scope="session", autouse=True)
def _guards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    base = tmp_path_factory.getbasetemp().resolve()
    with pytest.MonkeyPatch.context() as patch:
        # also reaches what tests start, which the hook below does not
        patch.setenv("EDGEWISE_RUNS_DIR", str(base / "runs-of-no-test"))
        sys.addaudithook(refuse_own_runs)
        yield
        deadline = time.monotonic() + GRACE_S
        while (left := processes_under(base)) and time.monotonic() < deadline:
            time.sleep(0.1)
        lines = [describe(process) for process in left]
        end(left)
    assert not lines, "The tests left processes behind:\n" + "\n".join(lines)


def write_study(
    path: Path, name: str = "ppo", *, n_trials: int = 3, directions: tuple[str, ...] = ("minimize",)
) -> Path:
    """Add a study to a journal (`*.log`) or a SQLite file as a script with plain Optuna does."""
    import optuna

    journal = optuna.storages.journal.JournalFileBackend
    storage: Any = f"sqlite:///{path}"
    if path.suffix == ".log":
        storage = optuna.storages.JournalStorage(journal(str(path)))
    study = optuna.create_study(
        storage=storage, study_name=name, directions=directions, sampler=optuna.samplers.RandomSampler(seed=1)
    )
    rate = optuna.distributions.FloatDistribution(1e-5, 1e-2, log=True)
    odd = optuna.distributions.CategoricalDistribution(["a", "b"])
    study.add_trials(
        [
            optuna.trial.create_trial(
                params={"learning_rate": 10 ** (-5 + 3 * i / max(1, n_trials)), "a b/<b>": "ab"[i % 2]},
                distributions={"learning_rate": rate, "a b/<b>": odd},
                values=[float(i)] * len(directions),
            )
            for i in range(n_trials)
        ]
    )
    return path


@pytest.fixture(name="write_study")
def _write_study() -> Callable[..., Path]:
    return write_study


def everything_in(folder: Path) -> dict[str, Any]:
    """Return all there is to see of a folder: names, bytes, times, and its own time."""
    seen: dict[str, Any] = {".": folder.stat().st_mtime_ns}
    for path in sorted(folder.iterdir()):
        stat = path.lstat()
        seen[path.name] = (stat.st_ino, stat.st_mtime_ns, stat.st_mode, path.read_bytes())
    return seen


@pytest.fixture(name="everything_in")
def _everything_in() -> Callable[[Path], dict[str, Any]]:
    return everything_in


def keep_untrained(
    folder: Any,
    number: int,
    env_id: str,
    *,
    seed: int = 0,
    push: float = 0.0,
    resolved: dict | None = None,
    **env_kwargs: Any,
) -> None:
    """Keep a small policy that was never trained, where a trial or a run of a job keeps its own.

    `push` is what it adds to each action: untrained, it would hardly move.
    """
    from storage.artifacts import save_policy
    from tuning.policy import build_model, policy_arrays

    resolved = {"policy_kwargs": {"net_arch": [8]}, **(resolved or {})}
    model = build_model("PPO", "MlpPolicy", env_id, resolved, seed=seed)
    request = {
        "env": {"id": env_id, "kwargs": env_kwargs},
        "algorithm": "PPO",
        "policy": "MlpPolicy",
        "resolved": resolved,
        "n_train_envs": 1,
        "timesteps": 1000,
    }
    arrays = policy_arrays(model.policy)
    arrays["action_net.bias"] = arrays["action_net.bias"] + push
    save_policy(folder, number, arrays, request)


@pytest.fixture(name="keep_untrained")
def _keep_untrained() -> Callable[..., None]:
    return keep_untrained


@pytest.fixture
def runs_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty runs folder of this test's own, where `storage.paths.runs_root()` and child processes look."""
    folder = tmp_path.resolve() / "runs"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("EDGEWISE_RUNS_DIR", str(folder))
    return folder


@pytest.fixture
def recorded(runs_dir: Path) -> Any:
    """A copy of the recorded study, with real weights and without any job of its own."""
    import shutil

    from tuning import examples

    folder = examples.copy_recorded(examples.recorded()[0], runs_dir)
    for path in (folder.jobs, folder.rollouts, folder.winner):
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
    return folder


@pytest.fixture
def add_reevaluation() -> Callable[..., Any]:
    """Add a re-evaluation without training: runs return `means` and have copied weights.

    With `n_seeds` it was stopped before all of them were done.
    """

    def add(
        study: Any, means: dict[str, list[float]], *, keep: bool = True, n_seeds: int | None = None
    ) -> Any:
        import shutil

        from storage.artifacts import kept_trials
        from storage.paths import create_run
        from storage.records import write_record, write_text
        from tuning import jobs, launch
        from tuning.reevaluation_plan import plan_reevaluation
        from tuning.retraining_plan import RunResult, append_result, write_plan
        from tuning.trainers import TrainerUsed

        trials = [int(key.split()[1]) for key in means if key.startswith("trial")]
        n = max(map(len, means.values()))
        planned = plan_reevaluation(
            launch.read_run(study),
            trials=trials,
            tuned="tuned" in means,
            n_seeds=n_seeds or n,
            n_episodes=20,
            racing=False,
        ).with_draw(0)
        study.jobs.mkdir(exist_ok=True)
        folder = create_run(study.jobs, "reevaluation")
        write_text(folder.reevaluation, planned.question.model_dump_json())
        write_plan(folder, planned.plan)
        jobs.create_job(folder, "reevaluation")
        places = {run.key: index for index, run in enumerate(planned.plan.runs)}
        source = study.weights / str(min(kept_trials(study)))
        for candidate in planned.question.candidates:
            for seed, mean in enumerate(means.get(candidate.key, [])):
                key = planned.question.run_key(candidate, seed)
                append_result(
                    folder,
                    RunResult(
                        key=key,
                        state="ok",
                        mean=mean,
                        std=1.0,
                        returns=(mean,),
                        timesteps=40960,
                        trainer=TrainerUsed("fast"),
                    ),
                )
                if keep:
                    shutil.copytree(source, folder.weights / str(places[key]))
        write_record(folder.runner, {"pid": 1, "pid_created": 1.0, "started_at": time.time() - 60})
        state = "stopped" if n_seeds else "finished"
        write_record(folder.exit, {"state": state, "reason": "Done.", "ended_at": time.time()})
        return folder

    return add


@pytest.fixture
def add_rollout() -> Callable[..., Any]:
    """Add a finished rollout of these policies without playing: a real MP4 of pictures that change."""

    def add(study: Any, *policies: Any, n_frames: int = 30) -> Any:
        from PIL import Image

        from storage.paths import create_run
        from storage.records import write_record, write_text
        from tuning import jobs
        from tuning.rendering import Video, save_poster
        from tuning.rollout import Actor, ActorResult, Episode, Rollout, RolloutResult, Training
        from tuning.spec_parts import EnvSpec

        roles = ("baseline", "tuned") if len(policies) == 2 else ("tuned",)
        actors = [
            Actor(label=f"{role} <b>agent</b>", role=role, policy=policy)
            for role, policy in zip(roles, policies, strict=True)
        ]
        request = Rollout(env=EnvSpec(id="Pendulum-v1"), actors=tuple(actors))
        study.rollouts.mkdir(exist_ok=True)
        folder = create_run(study.rollouts, "rollout")
        write_text(folder.rollout, request.model_dump_json())
        video = Video(folder.path / "actor-1.mp4", fps=15.0)
        for frame in range(n_frames):
            video.add(Image.new("RGB", (96, 64), (frame * 8 % 256, 80, 120)))
        video.finish()
        save_poster(video.path, folder.path / "poster.jpg", at_s=0.5)
        training = Training(algorithm="PPO", resolved={}, n_train_envs=1, n_timesteps=40_000)
        results = tuple(
            ActorResult(
                label=actor.label,
                role=actor.role,
                episodes=(Episode(total=-100.0 - place, steps=200, ending="time limit"),),
                video="actor-1.mp4",
                training=training,
            )
            for place, actor in enumerate(actors)
        )
        together = "actor-1.mp4" if len(actors) > 1 else None
        result = RolloutResult(
            actors=results, side_by_side=together, poster="poster.jpg", fps=15.0, n_frames=n_frames
        )
        write_text(folder.result, result.model_dump_json())
        jobs.create_job(folder, "rollout")
        write_record(folder.runner, {"pid": 1, "pid_created": 1.0, "started_at": time.time() - 60})
        write_record(folder.exit, {"state": "finished", "reason": "Done.", "ended_at": time.time()})
        return folder

    return add

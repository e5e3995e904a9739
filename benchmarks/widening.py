"""The real case: does finding and widening a range that was too narrow give a better agent?

    python -m benchmarks.widening FOLDER --seed 1
    python -m benchmarks.widening FOLDER --trials 6 --timesteps 2000 --set learning_rate=3e-5..1e-3  # a look
    python -m benchmarks.widening FOLDER --parent ID --child ID    # go on where it was left

PPO on Pendulum-v1 in a space whose learning rate ends too soon (truth: better above) and whose discount
factor does too (truth: better below). It runs this parent, lets the detector judge it, launches the child
that it suggests, trains the best configuration of each again on fresh paired seeds, and prints the
difference with its interval, whatever it says. Studies lie in FOLDER, which a dashboard can show; what is
done is not done again, and the summary is FOLDER/widening.json.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial

from storage.paths import RunFolder, create_run, find_run, list_runs
from storage.trials import RERUN_OF, counted, own, ranked
from tuning import jobs, launch
from tuning.analysis.paired import paired_difference
from tuning.analysis.saturation import SaturationInfo, saturation_info
from tuning.analysis.words import duration, three_digits
from tuning.continuation import continuation
from tuning.jobs import JobState, job_status
from tuning.retraining_plan import RetrainPlan, TrainingRun, load_plan, read_results, write_plan
from tuning.seeds import retraining_seeds
from tuning.space.limits import spec_limits
from tuning.space.resolve import resolve_configuration
from tuning.spec import StudySpec, build_spec
from tuning.widen import suggested_changes, widened_spec

SPACE = [
    {"name": "learning_rate", "kind": "float", "low": 3e-5, "high": 3e-4, "log": True},
    {"name": "gamma", "kind": "float", "low": 0.97, "high": 0.9999},
]
# With rollouts as long as the default, no learning rate in this range learns anything in 40,000 steps.
FIXED = {"n_steps": 256, "policy_kwargs.activation_fn": "relu"}
DRAW = 1_000_000  # of fresh seeds: no probe of these studies comes near
POLL_S = 1.0
LINE_EVERY_S = 60.0


def main() -> None:
    """Run the stages that are not done yet."""
    options = _options()
    root: Path = options.folder.resolve()
    parent = find_run(root, options.parent) if options.parent else _launch_parent(root, options)
    _finish(parent, "parent")
    info = _diagnose(parent)
    child = find_run(root, options.child) if options.child else _launch_child(parent, info, root, options)
    _finish(child, "child")
    _diagnose(child)
    job = _compare(parent, child, n_seeds=options.seeds)
    _finish(job, "comparison")
    summary = _summary(parent, child, info, job)
    (root / "widening.json").write_text(json.dumps(summary, indent=1) + "\n")


def parent_spec(*, n_trials: int, n_timesteps: int, seed: int) -> StudySpec:
    """Return the request whose space is too narrow."""
    return build_spec(
        {
            "name": "pendulum-narrow",
            "env": {"id": "Pendulum-v1"},
            "search_space": SPACE,
            "hyperparameters": FIXED,
            "budget": {"n_trials": n_trials, "n_timesteps": n_timesteps},
            "n_train_envs": 5,
            "seed": seed,
        }
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the studies lie; made when it is absent")
    parser.add_argument("--trials", type=int, default=40, help="of the parent, and of the child")
    parser.add_argument("--timesteps", type=int, default=40_000, help="a trial, and a run of the comparison")
    parser.add_argument("--seed", type=int, default=0, help="of the parent")
    parser.add_argument("--seeds", type=int, default=5, help="fresh ones for the comparison")
    parser.add_argument("--parent", metavar="ID", help="take this study as the parent")
    parser.add_argument("--child", metavar="ID", help="take this study as the child")
    parser.add_argument(
        "--set",
        action="append",
        metavar="NAME=LOW..HIGH",
        help="widen this instead of what the detector suggests",
    )
    return parser.parse_args()


def _launch_parent(root: Path, options: argparse.Namespace) -> RunFolder:
    spec = parent_spec(n_trials=options.trials, n_timesteps=options.timesteps, seed=options.seed)
    folder = launch.create_study(spec, root)
    print(f"parent: {folder.id}", flush=True)
    return folder


def _diagnose(parent: RunFolder) -> SaturationInfo:
    run = launch.read_run(parent)
    assert run.spec is not None
    info = saturation_info(run.study.trials, maximize=run.study.maximize, limits=spec_limits(run.spec))
    print(f"\nThe verdicts after {info.n_finished} trials:")
    for p in info.parameters:
        print(f"  [{p.verdict}{f', {p.confidence}' if p.confidence else ''}] {p.sentence}")
    print(flush=True)
    return info


def _launch_child(
    parent: RunFolder, info: SaturationInfo, root: Path, options: argparse.Namespace
) -> RunFolder:
    run = launch.read_run(parent)
    assert run.spec is not None
    changes = dict(_bounds(text) for text in options.set) if options.set else suggested_changes(info)
    if not changes:
        sys.exit("The detector finds nothing to widen, so there is no child to compare. --set widens anyway.")
    spec = widened_spec(run.spec, changes).with_trials(options.trials)
    found = continuation(parent.id, run.spec, run.study.trials, spec)
    folder = launch.create_study(spec, root, continues=found)
    print(f"child: {folder.id}. {found.sentence}")
    for change in found.changes:
        print(f"  {change.name}: {change.range_before} -> {change.range_after}")
    print(flush=True)
    return folder


def _bounds(text: str) -> tuple[str, tuple[float, float]]:
    name, _, ends = text.partition("=")
    low, _, high = ends.partition("..")
    return name, (float(low), float(high))


def _compare(parent: RunFolder, child: RunFolder, *, n_seeds: int) -> RunFolder:
    """Return the job that trains both best configurations again, an earlier one where there is one."""
    for job in list_runs(child.jobs):
        if job_status(job).kind == "retraining":
            return job
    runs, spec = [], launch.read_run(child).spec
    assert spec is not None
    for index, (train_seed, eval_seed) in enumerate(retraining_seeds(spec.seed, DRAW, n_seeds)):
        for who, folder in (("parent", parent), ("child", child)):
            trial, resolved = best_configuration(folder)
            runs.append(
                TrainingRun(
                    key=f"{who}, seed {index}",
                    label=f"best of the {who} (trial {trial.number}), seed {index + 1}",
                    resolved=resolved,
                    train_seed=train_seed,
                    eval_seed=eval_seed,
                )
            )
    plan = RetrainPlan(
        env=spec.env,
        algorithm=spec.algorithm,
        policy=spec.policy,
        n_train_envs=spec.n_train_envs,
        n_timesteps=spec.budget.n_timesteps,
        n_eval_episodes=max(20, spec.budget.n_eval_episodes),
        n_eval_envs=spec.n_eval_envs,
        n_workers=spec.n_workers,
        trainer=spec.trainer,
        runs=tuple(runs),
    )
    job = create_run(child.jobs, "compared")
    write_plan(job, plan)
    jobs.create_job(job, "retraining")
    return job


def best_configuration(folder: RunFolder) -> tuple[FrozenTrial, dict[str, Any]]:
    """Return the best trial that a study ran itself, and what the algorithm gets for it."""
    run = launch.read_run(folder)
    assert run.spec is not None
    best = ranked(own(run.study.trials), maximize=run.study.maximize)
    if not best:
        sys.exit(f"{folder.id} has no complete trial.")
    return best[0], resolve_configuration(run.spec, best[0].params)


def _finish(folder: RunFolder, what: str) -> None:
    """Run a study or a job to its end, saying now and then how far it is."""
    status = job_status(folder)
    if status.state == JobState.FINISHED:
        print(f"{what} {folder.id}: done before. {status.reason}", flush=True)
        return
    started = said = time.monotonic()
    if not status.state.alive:
        launch.start(folder)
    try:
        while (status := job_status(folder)).state.alive:
            time.sleep(POLL_S)
            if time.monotonic() - said >= LINE_EVERY_S:
                said = time.monotonic()
                print(f"{what}: {_done(folder)}, {duration(said - started)}", flush=True)
    except KeyboardInterrupt:
        jobs.request_stop(folder, "now")
        sys.exit(f"\nStopped. {what} {folder.id} goes on when it is named again.")
    took = duration(time.monotonic() - started)
    print(f"{what} {folder.id}: {status.state} after {took}. {status.reason}", flush=True)
    if status.state != JobState.FINISHED:
        sys.exit(1)


def _done(folder: RunFolder) -> str:
    if folder.plan.exists():
        plan = load_plan(folder)
        return f"{len(read_results(folder, plan))} of {len(plan.runs)} runs"
    run = launch.read_run(folder)
    best = ranked(own(run.study.trials), maximize=run.study.maximize)
    shown = f", best {three_digits(best[0].value or 0.0)}" if best else ""
    return f"{len(counted(run.study.trials))} trials{shown}"


def _summary(parent: RunFolder, child: RunFolder, info: SaturationInfo, job: RunFolder) -> dict[str, Any]:
    plan = load_plan(job)
    results = read_results(job, plan)
    n_seeds = len(plan.runs) // 2
    print("\nBest configurations, each trained again:")
    for who, folder in (("parent", parent), ("child", child)):
        trial, _ = best_configuration(folder)
        params = ", ".join(
            f"{k} {three_digits(v) if isinstance(v, float) else v}" for k, v in trial.params.items()
        )
        again = ", a repetition of one of the parent's best" if RERUN_OF in trial.user_attrs else ""
        print(f"  {who}, trial {trial.number}{again}: {params}; the study measured {trial.value:.1f}")
    pairs = []
    for index in range(n_seeds):
        before, after = (results[f"{who}, seed {index}"] for who in ("parent", "child"))
        if before.mean is None or after.mean is None:
            lost = before if before.mean is None else after
            print(f"  seed {index + 1}: {lost.state}. {lost.message}")
            continue
        pairs.append((before.mean, after.mean))
        print(f"  seed {index + 1}: parent {before.mean:8.1f}   child {after.mean:8.1f}")
    record: dict[str, Any] = {
        "parent": parent.id,
        "child": child.id,
        "verdicts": {p.name: [p.verdict.value, p.side, p.confidence] for p in info.parameters},
        "pairs": pairs,
    }
    for level in (0.9, 0.95):
        found = paired_difference(pairs, maximize=True, level=level)
        if found is None or found.low is None or found.high is None:
            print("Fewer than two pairs gave a value: there is no interval.")
            break
        interval = f"{level * 100:.0f} % interval {found.low:+.1f} to {found.high:+.1f}"
        wins = f"better in {found.wins} of {found.n} pairs"
        print(f"child - parent: {found.mean:+.1f} ({interval}), {wins}: {found.direction}")
        record[f"difference_{level:.0%}"] = [found.mean, found.low, found.high]
    return record


if __name__ == "__main__":
    main()

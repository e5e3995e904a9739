"""A process that measures what training costs, on request: `python -m tuning.calibration_probe`.

The first line of stdin is the request. Each line after it is the number of a configuration and for how many
seconds to measure; the answer is one line of JSON on stdout. It ends when stdin does, so it never outlives
whoever asks.
"""

import contextlib
import json
import math
import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, TextIO

LEAST_STEPS = 256  # of a shortened rollout, which holds whole minibatches
LEAST_STARTS = 128  # steps before learning starts
CYCLE_STEPS = 16  # of an algorithm that replays steps, between two updates
PATIENCE = 5.0  # times the seconds asked for, until a second update has ended
LEAST_PATIENCE_S = 5.0  # the first update of torch can take two


def main() -> int:
    """Answer until stdin ends."""
    started = time.monotonic()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what an environment prints must not be taken for an answer
    lines = sys.stdin
    from tuning.spec import build_spec

    spec = build_spec(json.loads(lines.readline()))
    try:
        limit = _prepare(spec)
    except Exception as error:  # an environment may raise anything
        _answer(answers, {"failure": _said(error)})
        return 1
    _answer(answers, {"start_s": time.monotonic() - started, "time_limit": limit})
    from tuning.estimate import space_sample

    stored = space_sample(spec)
    requests = _Requests(lines)
    while (request := requests.next()) is not None:
        number, slice_s = request
        try:
            _answer(answers, {"cost": measure(spec, stored[number], number, slice_s)})
        except Exception as error:  # an environment may raise anything
            _answer(answers, {"failure": _said(error)})
    return 0


def _prepare(spec: Any) -> int | None:
    """Import what a worker does, make the environment once, and return its limit of steps."""
    from tuning.env_wrappers import make_wrapped

    env = make_wrapped(spec.env)  # before anything slow, as it may not exist
    limit = env.spec.max_episode_steps if env.spec else None
    env.close()
    from tuning import training  # noqa: F401 - torch and SB3, whose import is part of what is measured

    return limit if limit and limit > 0 else None


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


class _Requests:
    """Reads requests in a thread, which ends the process with stdin, whatever it is busy with."""

    def __init__(self, lines: TextIO) -> None:
        self._lines: list[str] = []
        self._there = threading.Semaphore(0)
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def _read(self, lines: TextIO) -> None:
        for line in lines:
            self._lines.append(line)
            self._there.release()
        os._exit(0)

    def next(self) -> tuple[int, float] | None:
        """Wait for the next request."""
        self._there.acquire()
        number, slice_s = json.loads(self._lines.pop(0))
        return int(number), float(slice_s)


def _answer(answers: TextIO, record: dict[str, Any]) -> None:
    answers.write(json.dumps(record) + "\n")
    answers.flush()


def measure(spec: Any, stored: dict[str, Any], number: int, slice_s: float) -> dict[str, Any]:
    """Train a configuration for about `slice_s` seconds, evaluate it for half of that; return its `Cost`.

    Rollouts, and the time before learning, are shortened where the cost of a step stays the same.
    """
    import torch

    from tuning.calibration import n_eval_envs
    from tuning.normalization import reward_discount
    from tuning.policy import build_model, trainer_of
    from tuning.space.resolve import resolve_configuration
    from tuning.training import make_envs
    from tuning.vec_normalize import normalized

    torch.set_num_threads(1)
    resolved = resolve_configuration(spec, stored)
    begun = time.monotonic()
    train_env = make_envs(spec.env, spec.n_train_envs, seed=0)
    eval_env = make_envs(spec.env, n_eval_envs(spec), seed=8000)
    if spec.env.normalizes:
        train_env, eval_env = normalized(
            train_env, eval_env, spec.env, gamma=reward_discount(spec.algorithm, resolved)
        )
    try:
        model = build_model(
            spec.algorithm,
            spec.policy,
            train_env,
            shortened(spec, resolved),
            seed=0,
            trainer=spec.trainer,
            n_timesteps=spec.budget.n_timesteps if spec.budget.trial_seconds is None else None,
        )
        build_s = time.monotonic() - begun
        watch = _stop_watch(model, slice_s)
        with contextlib.suppress(_SliceOver):
            model.learn(10**9, callback=watch, log_interval=10**9)
        eval_step_s, episode_steps = _evaluate(model, eval_env, spec.budget.n_eval_episodes, slice_s / 2)
        return {
            "configuration": number,
            "trainer": trainer_of(model, spec.trainer).name,
            "build_s": build_s,
            **watch.costs(),
            "eval_step_s": eval_step_s,
            "episode_steps": episode_steps,
        }
    finally:
        train_env.close()
        eval_env.close()


def shortened(spec: Any, resolved: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration whose steps cost the same, and whose first update comes soon.

    A rollout of PPO is cut to some whole minibatches. Where learning from a rollout has other costs than by
    the minibatch (A2C, TRPO), and in ARS, it stays. Algorithms that replay steps begin to learn early, and
    take fewer steps between updates with as many gradient steps for each.
    """
    from tuning.space.resolve import argument_value

    short = dict(resolved)

    def value(name: str) -> Any:
        return argument_value(spec, resolved, name)

    if value("n_epochs") and isinstance(value("n_steps"), int):
        batch = value("batch_size")
        rollout = math.ceil(LEAST_STEPS / batch) * batch
        short["n_steps"] = max(2, min(value("n_steps"), math.ceil(rollout / spec.n_train_envs)))
    if isinstance(value("learning_starts"), int):
        short["learning_starts"] = min(value("learning_starts"), LEAST_STARTS)
        every, updates = value("train_freq"), value("gradient_steps")
        if isinstance(every, int) and every > CYCLE_STEPS:
            if updates == -1:
                short["train_freq"] = CYCLE_STEPS
            elif isinstance(updates, int) and updates > 0:
                short["gradient_steps"] = max(1, round(CYCLE_STEPS * updates / every))
                short["train_freq"] = max(1, round(short["gradient_steps"] * every / updates))
    return short


class _SliceOver(Exception):
    """Enough was measured."""


def step_costs(
    begun: Sequence[tuple[float, int]], ended: Sequence[tuple[float, int]], learning_starts: int
) -> dict[str, float | None]:
    """Return what an env step costs by what it is for, from when rollouts began and ended.

    The first cycle of rollout and update that learns is left out where there are others: it warms up.

    Args:
        begun: of each rollout's start the time in seconds and the env steps so far.
        ended: of each rollout's end.
        learning_starts: env steps up to which nothing is learned.
    """
    cycles = [
        (end - start, after - end, steps - before, steps > learning_starts)
        for (start, before), (end, steps), (after, _) in zip(begun, ended, begun[1:], strict=False)
    ]
    if not cycles:  # a single rollout that ended when the time was up
        (start, before), (end, steps) = begun[0], ended[0]
        cycles = [(end - start, 0.0, steps - before, True)]
    learning = [cycle for cycle in cycles if cycle[3]] or cycles
    random = [cycle for cycle in cycles if not cycle[3]]
    learning = learning[1:] or learning
    n, n_random = max(1, sum(cycle[2] for cycle in learning)), sum(cycle[2] for cycle in random)
    return {
        "random_step_s": sum(cycle[0] + cycle[1] for cycle in random) / n_random if n_random else None,
        "collect_step_s": sum(cycle[0] for cycle in learning) / n,
        "update_step_s": sum(cycle[1] for cycle in learning) / n,
    }


def _stop_watch(model: Any, slice_s: float) -> Any:
    from stable_baselines3.common.callbacks import BaseCallback

    class StopWatch(BaseCallback):
        """Notes when rollouts begin and end, and ends the training in time."""

        def __init__(self) -> None:
            super().__init__()
            self.begun: list[tuple[float, int]] = []  # time, env steps: each rollout's start
            self.ended: list[tuple[float, int]] = []
            self.starts = int(getattr(model, "learning_starts", 0))
            self.warm: float | None = None  # when the first update had ended
            # ARS learns from an iteration at no cost, and an iteration can take minutes
            self.patience = (
                slice_s if hasattr(model, "n_delta") else max(PATIENCE * slice_s, LEAST_PATIENCE_S)
            )

        def _on_training_start(self) -> None:
            self.first = time.monotonic()

        def _on_rollout_start(self) -> None:
            now = time.monotonic()
            self.begun.append((now, self.num_timesteps))
            if not self.ended or self.ended[-1][1] <= self.starts:
                return
            if self.warm is None:
                self.warm = now
            elif now - self.warm > slice_s / 2 and now - self.first > slice_s:
                raise _SliceOver

        def _on_rollout_end(self) -> None:
            self.ended.append((time.monotonic(), self.num_timesteps))

        def _on_step(self) -> bool:
            if time.monotonic() - self.first > self.patience:
                if not self.ended:
                    self._on_rollout_end()
                raise _SliceOver
            return True

        def costs(self) -> dict[str, float | None]:
            """Return the costs of an env step."""
            return step_costs(self.begun, self.ended, self.starts)

    return StopWatch()


def _evaluate(model: Any, env: Any, n_episodes: int, slice_s: float) -> tuple[float, float | None]:
    """Return the seconds of a vectorised step of an evaluation, and how long its episodes were."""
    from tuning.evaluation import evaluate

    begun, n_steps = time.monotonic(), 0

    def count() -> None:
        nonlocal n_steps
        n_steps += 1
        if time.monotonic() - begun > slice_s:
            raise _SliceOver

    lengths: list[int] = []
    try:
        lengths = list(evaluate(model, env, n_episodes=n_episodes, seed=8000, on_step=count).lengths)
    except _SliceOver:
        for own in env.env_method("get_episode_lengths"):
            lengths += own
    step_s = (time.monotonic() - begun) / max(1, n_steps)
    return step_s, sum(lengths) / len(lengths) if lengths else None


if __name__ == "__main__":
    sys.exit(main())

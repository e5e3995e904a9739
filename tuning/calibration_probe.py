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
from typing import Any, TextIO

LEAST_STEPS = 256  # of a shortened rollout, which holds whole minibatches
LEAST_STARTS = 128  # steps before learning starts
CYCLE_STEPS = 16  # of an algorithm that replays steps, between two updates
PATIENCE = 5.0  # times the seconds asked for, until the first update has ended


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
            n_timesteps=spec.budget.n_timesteps,
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


def _stop_watch(model: Any, slice_s: float) -> Any:
    from stable_baselines3.common.callbacks import BaseCallback

    class StopWatch(BaseCallback):
        """Notes when rollouts begin and end, and ends the training in time."""

        def __init__(self) -> None:
            super().__init__()
            self.begun: list[tuple[float, int]] = []  # time, env steps: each rollout's start
            self.ended: list[tuple[float, int]] = []

        def _on_training_start(self) -> None:
            self.first = time.monotonic()

        def _on_rollout_start(self) -> None:
            now = time.monotonic()
            self.begun.append((now, self.num_timesteps))
            if now - self.first > slice_s and self._has_learned():
                raise _SliceOver

        def _on_rollout_end(self) -> None:
            self.ended.append((time.monotonic(), self.num_timesteps))

        def _on_step(self) -> bool:
            now = time.monotonic()
            self.last = (now, self.num_timesteps)
            waited = now - self.first
            if waited > PATIENCE * slice_s or (waited > slice_s and self._plays_populations()):
                raise _SliceOver
            return True

        def _plays_populations(self) -> bool:
            return hasattr(self.model, "n_delta")  # ARS: what it learns from an iteration costs nothing

        def _starts(self) -> int:
            return int(getattr(self.model, "learning_starts", 0))

        def _has_learned(self) -> bool:
            """Whether a second update has ended: the first one warms up."""
            return sum(steps > self._starts() for _, steps in self.ended) >= 2 and len(self.begun) > 2

        def costs(self) -> dict[str, float | None]:
            """Return the costs of an env step by what it is for."""
            if not self.ended:  # a single rollout that was not over
                now, steps = self.last
                return {
                    "random_step_s": None,
                    "collect_step_s": (now - self.begun[0][0]) / max(1, steps - self.begun[0][1]),
                    "update_step_s": 0.0,
                }
            cycles = [
                (end - start, after - end, steps - before, steps > self._starts())
                for (start, before), (end, steps), (after, _) in zip(
                    self.begun, self.ended, [*self.begun[1:], (math.nan, 0)], strict=False
                )
            ]
            whole = [c for c in cycles if not math.isnan(c[1])] or [(*cycles[0][:1], 0.0, *cycles[0][2:])]
            learning = [c for c in whole if c[3]] or whole
            random = [c for c in whole if not c[3]]
            learning = learning[1:] or learning
            steps = max(1, sum(c[2] for c in learning))
            n_random = sum(c[2] for c in random)
            return {
                "random_step_s": sum(c[0] + c[1] for c in random) / n_random if n_random else None,
                "collect_step_s": sum(c[0] for c in learning) / steps,
                "update_step_s": sum(c[1] for c in learning) / steps,
            }

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

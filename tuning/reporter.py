"""One trial's voice: a thread keeps its heartbeat fresh while SB3 is busy in calls that tell nothing."""

import math
import os
import threading
import time
from collections import deque
from contextlib import suppress
from types import TracebackType

import psutil

from storage.live import Heartbeat, append_curve, drop_heartbeat, write_heartbeat
from storage.paths import RunFolder

INTERVAL_S = 0.5
PASSING_S = 0.1
SPEED_WINDOW_S = 10.0
MAX_CURVE_POINTS = 2_000


class Reporter:
    """Writes one trial's heartbeat twice a second and when its phase changes, and its curve as it grows.

    A heartbeat that cannot be written is no reason to end anything: it is tried again in a moment. So is the
    curve, whose points wait meanwhile; only when they are still unwritten in the end, leaving raises.
    """

    def __init__(self, folder: RunFolder, trial: int, total_timesteps: int) -> None:
        self._folder = folder
        self._trial = trial
        self._total = total_timesteps
        self._phase = "start"
        self._started_at = time.time()
        self._pid_created = psutil.Process().create_time()
        self._lock = threading.Lock()  # guards the buffers and the file order
        self._episodes: list[tuple[int, float]] = []
        self._evaluations: list[tuple[int, float, float]] = []
        self._n_episodes = 0
        self._written = 0
        self._last_return: float | None = None
        self._last_evaluation: float | None = None
        self._history: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self.timesteps = 0  # of the training that is underway
        self._offset = 0  # of those before it
        self._n_left = 1  # trainings, the one underway included

    def __enter__(self) -> "Reporter":
        self._write()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._thread.join()
        try:
            self._flush_curve()
        except OSError:
            if error is None:  # else that one says more
                raise
        finally:
            drop_heartbeat(self._folder, self._trial)

    def phase(self, name: str, *, passing: bool = False) -> None:
        """Say what the trial does now; visible at once.

        Args:
            name: of the phase.
            passing: it may be one of hundreds a second. Right after another writing it waits for the next
                beat: writing takes longer than a short rollout.
        """
        self._phase = name
        if not passing or time.monotonic() - self._history[-1][0] > PASSING_S:
            self._write()

    def next_training(self, n_left: int) -> None:
        """Say that a training begins, the first of so many that are left; its steps count from 0 again."""
        self._offset, self.timesteps, self._n_left = self._offset + self.timesteps, 0, n_left

    def set_total(self, total_timesteps: int) -> None:
        """Say how many steps the training will have, where that is known only now."""
        self._total = self._offset + total_timesteps * self._n_left

    def episode(self, timesteps: int, episode_return: float) -> None:
        """Record the undiscounted return of a training episode that ended at `timesteps`."""
        with self._lock:
            self._n_episodes += 1
            if not math.isfinite(episode_return):
                return  # JSON has no word for it; training says what becomes of the trial
            self._last_return = episode_return
            self._episodes.append((self._offset + timesteps, episode_return))

    def evaluation(self, timesteps: int, mean: float, std: float) -> None:
        """Record an evaluation."""
        with self._lock:
            self._last_evaluation = mean
            self._evaluations.append((self._offset + timesteps, mean, std))

    def _beat(self) -> None:
        while not self._closed.wait(INTERVAL_S):
            self._write()
            with suppress(OSError):
                self._flush_curve()

    def _write(self) -> None:
        with self._lock:
            if self._closed.is_set():
                return
            now = time.monotonic()
            self._history.append((now, self._offset + self.timesteps))
            while now - self._history[0][0] > SPEED_WINDOW_S and len(self._history) > 2:
                self._history.popleft()
            (then, before), steps = self._history[0], self._offset + self.timesteps
            speed = (steps - before) / (now - then) if now > then else 0.0
            with suppress(OSError):
                write_heartbeat(
                    self._folder,
                    Heartbeat(
                        trial=self._trial,
                        pid=os.getpid(),
                        pid_created=self._pid_created,
                        phase=self._phase,
                        timesteps=steps,
                        total_timesteps=self._total,
                        steps_per_s=round(speed, 1),
                        episodes=self._n_episodes,
                        last_return=self._last_return,
                        last_evaluation=self._last_evaluation,
                        started_at=self._started_at,
                        updated_at=time.time(),
                    ),
                )

    def _flush_curve(self) -> None:
        with self._lock:
            # Short episodes over many steps would fill the disk: past the limit, one mean for each flush.
            if self._written > MAX_CURVE_POINTS and self._episodes:
                mean = sum(value for _, value in self._episodes) / len(self._episodes)
                self._episodes = [(self._episodes[-1][0], mean)]
            append_curve(self._folder, self._trial, self._episodes, self._evaluations)
            self._written += len(self._episodes)
            self._episodes.clear()
            self._evaluations.clear()

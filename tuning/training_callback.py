"""What happens inside a single `learn()`: watch, evaluate, hand each evaluation over, stop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from tuning.evaluation import EvaluationResult, evaluate
from tuning.policy import is_finite
from tuning.reporter import Reporter
from tuning.training_clock import TimeIsUp, TrainingClock
from tuning.watchdog import Control


class TrainingStopped(Exception):
    """The process was told to end its work: the training is neither finished nor at fault."""


class Diverged(Exception):
    """Training left the finite numbers: a result of the configuration, not a fault of the program."""


@dataclass(frozen=True)
class Evaluation:
    """One evaluation in the course of training."""

    mark: int  # env steps at which it was due; seconds where a training has a time budget
    timesteps: int  # env steps after which it took place
    result: EvaluationResult
    last: bool  # training has ended


OnEvaluation = Callable[[Evaluation], None]  # takes each evaluation as it comes; may raise to end training


class TrainingCallback(BaseCallback):
    """Evaluates after the first whole iteration (rollout and update) past each mark.

    SB3 ends a rollout before it learns from it, so an evaluation right there would judge a policy that has
    not used its newest data, and the last one would judge another policy than the one that is kept. Hence
    an intermediate evaluation runs when the next rollout is about to start, the last one when training has
    ended. A rollout of ARS is the whole episodes of all candidates of one iteration.

    With a budget in seconds the training ends, by `TimeIsUp`, when a rollout would begin past it; whoever
    catches that calls `on_training_end`. Schedules follow the time then.
    """

    def __init__(
        self,
        on_evaluation: OnEvaluation,
        *,
        eval_env: VecEnv,
        eval_seed: int,
        marks: Sequence[int],
        n_episodes: int,
        reporter: Reporter,
        control: Control,
        seconds: float | None = None,
    ) -> None:
        super().__init__()
        self._on_evaluation = on_evaluation
        self._eval_env = eval_env
        self._eval_seed = eval_seed
        self._marks = list(marks)  # env steps, or seconds; ascending, the last one is the end of training
        self._seconds = seconds
        self.clock = TrainingClock()
        self._n_episodes = n_episodes
        self._reporter = reporter
        self._control = control
        self.newest: Evaluation | None = None

    def check_stop(self) -> None:
        """Leave training when the process was told to."""
        if self._control.stop_kind:
            raise TrainingStopped(self._control.stop_kind)

    def _on_training_start(self) -> None:
        if self._seconds is not None:
            self.model._update_current_progress_remaining = self._follow_the_time  # type: ignore[method-assign]
        self.clock.start()

    def _follow_the_time(self, num_timesteps: int, total_timesteps: int) -> None:
        """Set what schedules go by, which SB3 takes from the steps; their total is not known here."""
        assert self._seconds is not None
        self.model._current_progress_remaining = max(0.0, 1.0 - self.clock.seconds / self._seconds)

    def _on_rollout_start(self) -> None:
        self.check_stop()
        reached = self.num_timesteps if self._seconds is None else self.clock.seconds
        due = [mark for mark in self._marks[:-1] if mark <= reached]
        if due:
            self._marks = [mark for mark in self._marks if mark not in due]
            self._evaluate(due[-1], last=False)
        if self._seconds is not None:
            if reached >= self._seconds:
                raise TimeIsUp
            if reached:
                self._reporter.set_total(round(self.num_timesteps * self._seconds / reached))
        self._reporter.phase("collect", passing=True)

    def _on_step(self) -> bool:
        self.check_stop()
        self._reporter.timesteps = self.num_timesteps
        for info in self.locals.get("infos", ()):  # ARS has none here: see below
            episode = info.get("episode")
            if episode is not None:
                self._reporter.episode(self.num_timesteps, float(episode["r"]))
        return True

    def _on_rollout_end(self) -> None:
        if "infos" not in self.locals:
            self._report_population()
        self._reporter.phase("update", passing=True)

    def _report_population(self) -> None:
        """Report the episodes that ARS played for the candidates of an iteration, kept till now."""
        episodes = list(self.model.ep_info_buffer or ())
        timesteps = self.num_timesteps - sum(int(episode["l"]) for episode in episodes)
        for episode in episodes:
            timesteps += int(episode["l"])
            self._reporter.episode(timesteps, float(episode["r"]))

    def _on_training_end(self) -> None:
        self._evaluate(self._marks[-1], last=True)

    def _evaluate(self, mark: int, *, last: bool) -> None:
        if not is_finite(self.model.policy):
            raise Diverged("the policy's weights became NaN or infinite")
        self._reporter.phase("evaluate")
        with self.clock.stopped():
            result = evaluate(
                self.model,
                self._eval_env,
                n_episodes=self._n_episodes,
                seed=self._eval_seed,
                on_step=self.check_stop,
            )
        if not abs(result.mean) < float("inf"):
            raise Diverged(f"the mean return of an evaluation was {result.mean}")
        self._reporter.evaluation(self.num_timesteps, result.mean, result.std)
        self.newest = Evaluation(mark, self.num_timesteps, result, last)
        self._on_evaluation(self.newest)

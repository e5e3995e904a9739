"""One trial: sample a configuration, train it, report and prune, keep its policy."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import optuna

from storage.artifacts import pinned_trials
from storage.paths import RunFolder
from storage.trials import (
    BASELINE,
    EVALUATIONS,
    N_REACHED,
    RESOLVED,
    SECOND,
    SEED_VALUES,
    TIMESTEPS,
    TRAINER,
)
from tuning.pruner_choice import cut_words
from tuning.reporter import Reporter
from tuning.space.resolve import resolve_configuration
from tuning.spec import StudySpec
from tuning.trainers import TrainerUsed
from tuning.training import Seeds, Trained, Training, keep_policy, train
from tuning.training_callback import Evaluation
from tuning.watchdog import Control

NEVER = 2  # times its steps is what a training counts that does not reach the threshold


def run_objective(
    trial: optuna.Trial,
    spec: StudySpec,
    folder: RunFolder,
    *,
    seeds: Sequence[Seeds],
    reporter: Reporter,
    control: Control,
) -> list[float]:
    """Train one configuration once for each pair of seeds, and return the trial's value for each objective.

    The first one is the mean undiscounted return of a training's last evaluations, averaged over trainings.
    The policy of the first training stands for the trial: the best one would be the luckiest.

    Raises:
        optuna.TrialPruned: the pruner gave up on it.
        Diverged: weights or returns are no longer finite.
        TrainingStopped: the process was told to end its work.
        Exception: whatever the environment or the algorithm raised.
    """
    stored = {parameter.name: parameter.suggest(trial) for parameter in spec.search_space}
    resolved = resolve_configuration(spec, stored)
    trial.set_user_attr(RESOLVED, resolved)
    course = _Course(trial, spec)
    try:
        for k, pair in enumerate(seeds):
            if k:
                reporter.next_training(len(seeds) - k)
            training = _training(spec, resolved, pair)
            trained = train(
                training,
                on_evaluation=course.take,
                reporter=reporter,
                control=control,
                on_start=course.record_trainer,
            )
            course.end_training(trained)
            if not k and _is_kept(trial, spec, folder):
                reporter.phase("save")
                keep_policy(folder, trial.number, training, trained)
            del trained  # its replay buffer would lie beside the next one's
    finally:
        if course.records:  # once: each writing repeats the whole list in the journal
            trial.set_user_attr(EVALUATIONS, course.records)
    trial.set_user_attr(TIMESTEPS, course.timesteps)
    if len(seeds) > 1:
        trial.set_user_attr(SEED_VALUES, course.values)
    if spec.objective.second is None:
        return [fmean(course.values)]
    second = fmean(course.seconds)
    trial.set_user_attr(SECOND, second)
    if spec.objective.second == "steps_to_threshold":
        trial.set_user_attr(N_REACHED, course.n_reached)
    return [fmean(course.values), second]


class _Course:
    """What a trial has come to: its evaluations over all its trainings, reported and pruned as they come.

    Steps are counted on from training to training. In the first one each evaluation is reported at its
    nominal mark, so that trials with other rollout lengths compare; of each further one its end, with the
    mean of the trainings so far. Wilcoxon compares seed by seed: for it each training reports its own.
    """

    def __init__(self, trial: optuna.Trial, spec: StudySpec) -> None:
        self._trial = trial
        self._spec = spec
        self._total = spec.evaluation_marks()[-1]
        self._means: list[float] = []  # of the training underway
        self._reached: int | None = None  # env steps after which it had reached the threshold
        self.records: list[dict[str, Any]] = []
        self.values: list[float] = []  # of each training that ended
        self.seconds: list[float] = []  # the second objective, of each
        self.n_reached = 0  # of those that ended, how many had reached the threshold
        self.timesteps = 0  # env steps of those that ended

    def record_trainer(self, trainer: TrainerUsed) -> None:
        """Record whose code trains, which is the same in all trainings of a trial."""
        if not self.values:
            self._trial.set_user_attr(TRAINER, trainer.record())

    def take(self, evaluation: Evaluation) -> None:
        """Take an evaluation of the training underway, and prune where due."""
        k, result = len(self.values), evaluation.result
        mark, timesteps = k * self._total + evaluation.mark, self.timesteps + evaluation.timesteps
        record: dict[str, Any] = {
            "mark": mark,
            "timesteps": timesteps,
            "mean": result.mean,
            "std": result.std,
            "n_episodes": len(result.returns),
        }
        if k:
            record["training"] = k
        if self._spec.budget.trial_seconds is not None:
            record["unit"] = "seconds"  # of the mark
        self.records.append(record)
        self._means.append(result.mean)
        if self._reached is None and self._is_good(result.mean):
            self._reached = evaluation.timesteps
        own = self._value() if evaluation.last else result.mean
        by_seed = self._spec.pruner.name == "wilcoxon"
        if evaluation.last or not (k or by_seed):
            reported = own if by_seed else fmean([*self.values, own])
            if self._spec.objective.second is not None:  # Optuna takes no reports then, and prunes nothing
                record["reported"] = reported
                return
            self._trial.report(reported, step=mark)
            is_end = evaluation.last and k == self._spec.objective.n_seeds - 1
            if not is_end and self._trial.should_prune():
                n_trainings = 1 if by_seed else k + 1
                raise optuna.TrialPruned(cut_words(self._spec, reported, timesteps, n_trainings=n_trainings))

    def end_training(self, trained: Trained) -> None:
        """Count the training that has just ended."""
        steps = trained.model.num_timesteps
        self.values.append(self._value())
        if self._spec.objective.second == "training_time":
            self.seconds.append(trained.seconds)
        elif self._spec.objective.second == "steps_to_threshold":
            self.n_reached += self._reached is not None
            self.seconds.append(float(NEVER * steps if self._reached is None else self._reached))
        self.timesteps += steps
        self._means, self._reached = [], None

    def _value(self) -> float:
        return fmean(self._means[-self._spec.objective.last_k :])

    def _is_good(self, mean: float) -> bool:
        threshold = self._spec.objective.threshold
        if threshold is None:
            return False
        return mean >= threshold if self._spec.maximize else mean <= threshold


def _is_kept(trial: optuna.Trial, spec: StudySpec, folder: RunFolder) -> bool:
    pinned = trial.number in pinned_trials(folder)
    return bool(spec.retention.top) or BASELINE in trial.user_attrs or pinned


def _training(spec: StudySpec, resolved: dict[str, Any], seeds: Seeds) -> Training:
    return Training(
        env=spec.env,
        algorithm=spec.algorithm,
        policy=spec.policy,
        trainer=spec.trainer,
        resolved=resolved,
        seeds=seeds,
        n_train_envs=spec.n_train_envs,
        n_timesteps=spec.budget.n_timesteps,
        marks=spec.evaluation_marks(),
        n_eval_envs=spec.n_eval_envs,
        n_eval_episodes=spec.budget.n_eval_episodes,
        seconds=spec.budget.trial_seconds,
    )

"""One trial: sample a configuration, train it, report and prune, keep its policy."""

from typing import Any

import optuna

from storage.artifacts import pinned_trials
from storage.paths import RunFolder
from storage.trials import BASELINE, EVALUATIONS, RESOLVED, TIMESTEPS, TRAINER
from tuning.reporter import Reporter
from tuning.space.resolve import resolve_configuration
from tuning.spec import StudySpec
from tuning.training import Seeds, Training, keep_policy, train
from tuning.training_callback import Evaluation
from tuning.watchdog import Control


def run_objective(
    trial: optuna.Trial,
    spec: StudySpec,
    folder: RunFolder,
    *,
    seeds: Seeds,
    reporter: Reporter,
    control: Control,
) -> float:
    """Train one configuration and return the mean undiscounted return of its last evaluation.

    Raises:
        optuna.TrialPruned: the pruner gave up on it.
        Diverged: weights or returns are no longer finite.
        TrainingStopped: the process was told to end its work.
        Exception: whatever the environment or the algorithm raised.
    """
    stored = {parameter.name: parameter.suggest(trial) for parameter in spec.search_space}
    resolved = resolve_configuration(spec, stored)
    trial.set_user_attr(RESOLVED, resolved)
    records: list[dict[str, Any]] = []
    training = _training(spec, resolved, seeds)
    try:
        trained = train(
            training,
            on_evaluation=lambda evaluation: _judge(trial, evaluation, records),
            reporter=reporter,
            control=control,
            on_start=lambda trainer: trial.set_user_attr(TRAINER, trainer.record()),
        )
    finally:
        if records:  # once: each writing repeats the whole list in the journal
            trial.set_user_attr(EVALUATIONS, records)
    value, timesteps = trained.evaluation.result.mean, trained.model.num_timesteps
    trial.set_user_attr(TIMESTEPS, timesteps)
    reporter.phase("save")
    if spec.retention.top or BASELINE in trial.user_attrs or trial.number in pinned_trials(folder):
        keep_policy(folder, trial.number, training, trained)
    return value


def _judge(trial: optuna.Trial, evaluation: Evaluation, records: list[dict[str, Any]]) -> None:
    """Report at the nominal mark, so that trials with other rollout lengths compare; prune where due."""
    mean = evaluation.result.mean
    records.append(
        {
            "mark": evaluation.mark,
            "timesteps": evaluation.timesteps,
            "mean": mean,
            "std": evaluation.result.std,
            "n_episodes": len(evaluation.result.returns),
        }
    )
    trial.report(mean, step=evaluation.mark)
    if not evaluation.last and trial.should_prune():  # pruning a fully trained trial would save nothing
        raise optuna.TrialPruned(
            f"a mean return of {mean:.4g} after {evaluation.timesteps} steps "
            "was behind the median of the complete trials"
        )


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
    )

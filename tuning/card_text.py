"""The README of a model card: front matter that Hugging Face reads, and what a person should know."""

import html
import re
import statistics
from dataclasses import dataclass
from typing import Any

import yaml
from optuna.trial import FrozenTrial

from storage.artifacts import NORMALIZATION
from tuning import environments
from tuning.algorithms import Kind
from tuning.analysis.outcomes import evaluations_of, reached
from tuning.analysis.reevaluation import reevaluation_info
from tuning.analysis.words import THIN, count, three_digits, whole
from tuning.budget_words import budget_words
from tuning.expectation import expected_return
from tuning.export_choice import PolicyPlace
from tuning.reevaluation_jobs import ReevaluationJob
from tuning.spec import StudySpec
from tuning.trainers import TrainerUsed
from tuning.wrapper_code import made_with, playing_lines, wrapper_imports

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~])")


@dataclass(frozen=True)
class Row:
    """One line of the table of results."""

    name: str
    mean: str
    runs: str


@dataclass(frozen=True)
class Score:
    """The mean return that a card states, and how it was measured."""

    mean: float | None
    std: float | None  # over the runs, or over the episodes where only the search measured it
    how: str  # as a sentence
    n_runs: int  # training runs that it rests on
    n_episodes: int | None  # of each
    is_reevaluated: bool
    expected: float | None = None  # free of having been chosen
    rows: tuple[Row, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "mean_reward": self.mean,
            "std": self.std,
            "n_runs": self.n_runs,
            "n_episodes": self.n_episodes,
            "reevaluated": self.is_reevaluated,
            "expected": self.expected,
            "how": self.how,
        }

    @property
    def value(self) -> str:
        """The number as model cards write it."""
        if self.mean is None:
            return "unknown"
        return f"{self.mean:.2f}" + ("" if self.std is None else f" +/- {self.std:.2f}")


@dataclass(frozen=True)
class Card:
    """Everything that the text is made of."""

    spec: StudySpec
    study: str
    trial: FrozenTrial
    place: PolicyPlace
    stem: str  # of the zip's name
    n_trials: int  # that had ended
    score: Score
    versions: dict[str, str]
    has_video: bool
    yaml: str
    trainer: TrainerUsed | None = None  # of this very agent, where it was recorded
    is_mapped: bool = False  # of a study that is not ours: nobody knows its sampler and pruner


def score_of(trial: FrozenTrial, job: ReevaluationJob | None) -> Score:
    """Return what a re-evaluation measured, else what the search did, labelled as such."""
    if job is not None:
        info = reevaluation_info(job.question, job.results)
        found = next(c for c in info.candidates if c.candidate.trial == trial.number)
        values = [value for value in found.returns if value is not None]
        if found.mean is not None and values:
            broken = f", {found.n_broken} more broke" if found.n_broken else ""
            return Score(
                mean=found.mean,
                std=statistics.stdev(values) if len(values) > 1 else None,
                how=f"Mean and standard deviation over {count(found.n_runs, 'training run')} from scratch on "
                f"fresh seeds{broken}; each run is judged by {count(job.question.n_episodes, 'episode')}, "
                "deterministic policy, undiscounted return, last weights.",
                n_runs=found.n_runs,
                n_episodes=job.question.n_episodes,
                is_reevaluated=True,
                expected=expected_return(info, trial.number),
                rows=tuple(
                    Row(c.candidate.name, three_digits(c.mean), whole(c.n_runs))
                    for c in info.candidates
                    if c.mean is not None
                ),
            )
    last = next(reversed(evaluations_of(trial)), None)
    n = last.n_episodes if last else None
    over = f"{count(n, 'episode')}" if n else "a few episodes"
    return Score(
        mean=reached(trial),
        std=last.std if last else None,
        how=f"The value of the search: one training run, judged by {over}. It was picked as good among many "
        "noisy ones and nobody trained it again, so expect less.",
        n_runs=1,
        n_episodes=n,
        is_reevaluated=False,
    )


def card_text(card: Card) -> str:
    """Return the README."""
    parts = [_front_matter(card), _introduction(card), _results(card), _usage(card), _details(card)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def escaped(text: str) -> str:
    """Return text so that Markdown shows it as it is, on one line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text.replace(THIN, " ")).split())
    return _MARKDOWN.sub(r"\\\1", html.escape(line, quote=False))


def _front_matter(card: Card) -> str:
    spec = card.spec
    data = {
        "library_name": "stable-baselines3",
        "pipeline_tag": "reinforcement-learning",
        "tags": [spec.env.id, "deep-reinforcement-learning", "reinforcement-learning", "stable-baselines3"],
        "model-index": [
            {
                "name": spec.algorithm,
                "results": [
                    {
                        "task": {"type": "reinforcement-learning", "name": "reinforcement-learning"},
                        "dataset": {"name": spec.env.id, "type": spec.env.id},
                        "metrics": [
                            {
                                "type": "mean_reward",
                                "name": "mean_reward"
                                if card.score.is_reevaluated
                                else "mean_reward (search)",
                                "value": card.score.value,
                                "verified": False,
                            }
                        ],
                    }
                ],
            }
        ],
    }
    return f"---\n{yaml.safe_dump(data, sort_keys=False, allow_unicode=False)}---"


def _introduction(card: Card) -> str:
    spec, about = card.spec, escaped(card.place.about)
    return (
        f"# {escaped(f'{spec.algorithm} on {spec.env.id}')}\n\n"
        f"A Stable-Baselines3 {spec.algorithm} agent, with hyperparameters that a search found: trial "
        f"{card.trial.number} of the study {escaped(card.study)}.\n\n{about}"
    )


def _results(card: Card) -> str:
    score = card.score
    lines = ["## Results", "", f"Mean return **{score.value}**. {escaped(score.how)}"]
    if score.is_reevaluated and not card.place.is_run:
        lines += ["", "That is what these hyperparameters give, not what this very agent does."]
    if score.expected is not None and score.expected != score.mean:
        lines += [
            "",
            f"Expect about **{escaped(three_digits(score.expected))}** of a training run: the mean above "
            "belongs to the best of several candidates, which flatters it.",
        ]
    if score.rows:
        lines += ["", "| Candidate | Mean return | Training runs |", "|---|---:|---:|"]
        lines += [f"| {escaped(r.name)} | {escaped(r.mean)} | {r.runs} |" for r in score.rows]
    if card.has_video:
        lines += ["", "`replay.mp4` shows one episode of this agent. One episode is no measurement."]
    return "\n".join(lines)


_FRESH_OPTIMISER = (
    "The optimiser's state is not in it: training that goes on from it starts with a fresh optimiser"
)
# What somebody has to know who trains on from the zip.
_GOING_ON: dict[Kind, str] = {
    "on-policy": f"{_FRESH_OPTIMISER}.",
    "off-policy": f"{_FRESH_OPTIMISER} and an empty replay buffer.",
    "evolution": "To train on from it, first set `model.weights = "
    "torch.nn.utils.parameters_to_vector(model.policy.parameters()).detach()`: loading sets the policy, "
    "but the vector that ARS steps from only where it began from zeros.",
}


def _usage(card: Card) -> str:
    spec = card.spec
    module, _, name = spec.info.class_path.rpartition(".")
    is_recurrent = "Lstm" in spec.policy  # as sb3_contrib names them
    predict = ["    action, _ = model.predict(observation, deterministic=True)"]
    if is_recurrent:
        predict = [
            "    start = np.array([memory is None])",
            "    action, memory = model.predict(observation, memory, start, deterministic=True)",
        ]
    is_wrapped = bool(spec.env.wrappers)
    made, stepped = (_wrapped_env if is_wrapped else _single_env)(spec)
    imports = ["import numpy as np"] * (is_recurrent or spec.env.normalize_observations)
    if not is_wrapped:
        imports = ["import gymnasium as gym", *imports]
    imports += [f"import {package}  # registers the environment" for package in _packages(spec)]
    imports.append(f"from {module} import {name}")
    if is_wrapped:
        imports.append("from stable_baselines3.common.env_util import make_vec_env")
        imports += wrapper_imports(spec.env, spec.policy, to_play=True)
    lines = [
        "## Use it",
        "",
        "```python",
        *imports,
        "",
        f'model = {name}.load("{card.stem}.zip", device="cpu")',
        *made,
        "total, done = 0.0, False",
        *["memory = None  # of the policy, within one episode"] * is_recurrent,
        "while not done:",
        *predict,
        *stepped,
        "print(total)",
        "```",
        "",
        f"The zip predicts as the trained policy did. {_GOING_ON[spec.info.kind]} Zips of Stable-Baselines3 "
        "hold pickles, so load only those whose origin you trust; `policy.npz` has the same weights as plain "
        "arrays.",
    ]
    if spec.env.normalize_observations:
        lines[-1] += (
            " The agent was trained on normalised observations: `normalization.npz` has their means and "
            "variances, and without them its actions mean nothing."
        )
    return "\n".join(lines)


def _single_env(spec: StudySpec) -> tuple[list[str], list[str]]:
    """Return the lines that make the environment and begin, and those of a step."""
    kwargs = f", **{spec.env.kwargs!r}" if spec.env.kwargs else ""
    return [f'env = gym.make("{spec.env.id}"{kwargs})', "observation, _ = env.reset(seed=0)"], [
        "    # [()]: a discrete action is a plain number then, which tables of an environment need",
        "    observation, reward, terminated, truncated, _ = env.step(action[()])",
        "    total += float(reward)",
        "    done = terminated or truncated",
    ]


def _wrapped_env(spec: StudySpec) -> tuple[list[str], list[str]]:
    kwargs = f", env_kwargs={spec.env.kwargs!r}" if spec.env.kwargs else ""
    return [
        f'env = make_vec_env("{spec.env.id}", n_envs=1, seed=0{kwargs}{made_with(spec.env)})',
        *playing_lines(spec.env, spec.policy, NORMALIZATION),
        "observation = env.reset()",
    ], [
        "    observation, rewards, dones, _ = env.step(action)",
        "    total += float(rewards[0])",
        "    done = bool(dones[0])",
    ]


def _packages(spec: StudySpec) -> tuple[str, ...]:
    import gymnasium

    return () if spec.env.id in gymnasium.registry else environments.package_names()


def _details(card: Card) -> str:
    spec = card.spec
    space = "; ".join(p.name for p in spec.search_space)
    methods = "" if card.is_mapped else f", sampler {spec.sampler.name}, pruner {spec.pruner.name}"
    versions = ", ".join(f"{name} {version}" for name, version in card.versions.items())
    return "\n".join(
        [
            "## Hyperparameters",
            "",
            "As RL Zoo's hyperparameter files have them:",
            "",
            "```yaml",
            card.yaml.rstrip(),
            "```",
            "",
            "## How it was found",
            "",
            f"{escaped(count(card.n_trials, 'trial'))} of {escaped(budget_words(spec))} each{methods}, "
            f"over {escaped(space)}. `config.json` has the exact values, the seeds and how the score was "
            f"measured.{_trained(card)}",
            "",
            f"Versions: {escaped(versions)}.",
        ]
    )


def _trained(card: Card) -> str:
    """Say whose code trained this agent, for people who do not know this program."""
    if card.trainer is None:
        return ""
    if card.trainer.name == "sb3":
        return " Stable-Baselines3's own code trained this agent."
    return (
        " Fast kernels trained this agent: the same algorithm with the same random numbers, each update "
        "equal to that of Stable-Baselines3 up to float32 rounding."
    )

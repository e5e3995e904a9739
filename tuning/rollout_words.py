"""What a rollout shows, in words that a colleague understands."""

import json
import re
from dataclasses import dataclass
from typing import Any

from tuning.algorithms import algorithm
from tuning.analysis.words import THIN, count, three_digits, whole
from tuning.rollout import Episode, Rollout, RolloutResult, Training
from tuning.space.resolve import POLICY_PREFIX

N_ENVS = "n_envs"  # training envs: no argument of the algorithm, but of the rollout that it learns from


@dataclass(frozen=True)
class Difference:
    """A hyperparameter that is not the same for all actors."""

    name: str
    values: tuple[Any, ...]  # by actor, plain JSON


def differences(result: RolloutResult) -> list[Difference]:
    """Return the hyperparameters in which the actors' trainings differ; what was not set has its default."""
    arguments = [_arguments(actor.training) for actor in result.actors]
    names = sorted({name for own in arguments for name in own})
    found = []
    for name in names:
        values = tuple(
            own.get(name, _default(actor.training, name))
            for own, actor in zip(arguments, result.actors, strict=True)
        )
        if len({json.dumps(value, sort_keys=True) for value in values}) > 1:
            found.append(Difference(name, values))
    return found


def headline(result: RolloutResult, env_id: str) -> str:
    """Return one sentence on what is compared, true of these very policies."""
    algorithms = sorted({actor.training.algorithm for actor in result.actors})
    on = f"{' and '.join(algorithms)} on {env_id}"
    steps = [actor.training.n_timesteps for actor in result.actors]
    if len(result.actors) == 1:
        return f"{on} after {whole(steps[0])} training steps." if steps[0] else f"{on}."
    parts = []
    if len(algorithms) == 1:
        parts.append("same algorithm")
    if None not in steps:
        alike = len(set(steps)) == 1
        parts.append("same training steps" if alike else f"{_listed(steps)} training steps")
    n = len(differences(result))
    if n == 0 and len(algorithms) == 1:
        return f"{on}: {', '.join(parts)}, same hyperparameters; only the training seeds differ."
    rest = f"only {count(n, 'hyperparameter')} {'differs' if n == 1 else 'differ'}"
    return f"{on}: {', '.join(parts)}; {rest}." if parts else f"{on}; {rest}."


def return_words(episodes: tuple[Episode, ...]) -> str:
    """Return the mean return over the episodes, for people; a dash where there is none."""
    totals = [episode.total for episode in episodes]
    if not totals or None in totals:
        return "–"  # noqa: RUF001 - an en dash
    return three_digits(sum(t for t in totals if t is not None) / len(totals))


def steps_words(episodes: tuple[Episode, ...]) -> str:
    """Return how long the episodes were and how they ended."""
    if len(episodes) == 1:
        (episode,) = episodes
        how = {
            "terminated": "then it ended",
            "time limit": "up to the time limit",
            "cut short": "then it was cut short",
        }
        return f"{count(episode.steps, 'step')}, {how[episode.ending]}"
    ended = sum(episode.ending == "terminated" for episode in episodes)
    mean = sum(episode.steps for episode in episodes) / len(episodes)
    return f"{count(len(episodes), 'episode')} of {whole(mean)} steps on average, {ended} ended early"


def plain_label(text: str) -> str:
    """Return text with ordinary spaces in its numbers, for file names and the font of the videos."""
    return text.replace(THIN, " ")


def _arguments(training: Training) -> dict[str, Any]:
    flat: dict[str, Any] = {N_ENVS: training.n_train_envs}
    for name, value in training.resolved.items():
        if name == "policy_kwargs" and isinstance(value, dict):
            flat |= {POLICY_PREFIX + key: inner for key, inner in value.items()}
        else:
            flat[name] = value
    return flat


def _default(training: Training, name: str) -> Any:
    try:
        argument = algorithm(training.algorithm).arguments.get(name)
    except KeyError:
        return None
    return argument.default if argument else None


def _listed(steps: list[int | None]) -> str:
    distinct = [whole(n) for n in sorted({n for n in steps if n is not None})]
    return f"{', '.join(distinct[:-1])} and {distinct[-1]}"


def file_name(study: str, request: Rollout) -> str:
    """Return a name for the video that somebody takes along: who plays where, from which start."""
    words = [study, *(actor.label for actor in request.actors), f"start-{request.seed}"]
    parts = [re.sub(r"[^A-Za-z0-9.]+", "-", word).strip("-.").lower() for word in words]
    return "_".join(part for part in parts if part)[:150] + ".mp4"

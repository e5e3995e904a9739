"""The search space of another study, or of a file, as far as the chosen algorithm can take it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuning.algorithms import Algorithm
from tuning.analysis.words import listed
from tuning.launch import Run
from tuning.mapping import guess_mapping, known_spec
from tuning.space.parameters import Parameter


@dataclass(frozen=True)
class CopiedSpace:
    """What can be taken over."""

    space: tuple[Parameter, ...]
    fixed: dict[str, Any]
    notes: tuple[str, ...]  # what is left out, and what a guess rests on


def copied_space(run: Run, known: Algorithm) -> CopiedSpace:
    """Return a study's space for an algorithm; of a study that is not ours it is read from its trials.

    What a parameter of such a study sets is guessed from its name, as `tuning.mapping` does.
    """
    spec = known_spec(run)
    if spec is not None:
        return fitting(spec.search_space, spec.hyperparameters, known, source=spec.algorithm)
    draft = guess_mapping(run, env_id="CartPole-v1", algorithm=known.name, n_timesteps=1)
    space = tuple(p.parameter for p in draft.parameters if p.parameter is not None)
    notes = [f"{p.name}: {p.note}" for p in draft.parameters if p.note]
    if not draft.parameters:
        notes.append("It has no trials that say what was searched.")
    found = fitting(space, {}, known)
    return CopiedSpace(found.space, found.fixed, (*notes, *found.notes))


def fitting(
    space: Sequence[Parameter], fixed: Mapping[str, Any], known: Algorithm, *, source: str | None = None
) -> CopiedSpace:
    """Return what of a space sets arguments that the algorithm has.

    Args:
        space: the parameters.
        fixed: the hyperparameters beside them.
        known: the algorithm that is chosen.
        source: the algorithm that the space was made for, where that is known.
    """
    taken = tuple(p for p in space if p.target in known.arguments)
    kept = {name: value for name, value in fixed.items() if name in known.arguments}
    notes = []
    left = [p.name for p in space if p not in taken] + [name for name in fixed if name not in kept]
    if left:
        notes.append(f"Left out, as {known.name} does not have it: {listed(list(dict.fromkeys(left)))}.")
    if source is not None and source != known.name and taken:
        notes.append(f"It was made for {source}: look whether the ranges suit {known.name}.")
    return CopiedSpace(taken, kept, tuple(notes))

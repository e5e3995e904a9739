"""Mapping a study that is not ours, from the command line, so that it can be trained."""

from pathlib import Path

from tuning import environments
from tuning.cli import output
from tuning.cli.exits import Exit, Refused
from tuning.launch import Run
from tuning.mapping import MappingDraft, complete_mapping, guess_mapping, save_mapping
from tuning.spec import SpecError, read_spec_data


def map_study(
    run: Run,
    file: Path | None,
    env: str | None,
    *,
    algorithm: str,
    n_timesteps: int | None,
    n_train_envs: int,
) -> None:
    """Map a study by a spec file, or by an environment with everything else guessed, and say how.

    Raises:
        Refused: the study is ours, or what was given is not enough, or too much.
        SpecError: what comes out cannot be trained.
        EnvironmentsError: there is no such environment.
    """
    if run.spec is not None:
        raise Refused(
            Exit.BAD_INPUT, f"{run.folder.id} was launched here: how to train it is known. Leave it out."
        )
    if file is not None and env is not None:
        raise Refused(Exit.BAD_INPUT, "--map and --env exclude each other: give one of them.")
    if file is not None:
        draft = complete_mapping(run, read_spec_data(file))
    else:
        if n_timesteps is None:
            raise Refused(Exit.BAD_INPUT, "--env needs --timesteps: how many steps did a trial train?")
        draft = guess_mapping(
            run, env_id=env or "", algorithm=algorithm, n_timesteps=n_timesteps, n_train_envs=n_train_envs
        )
    if draft.spec is None:
        raise SpecError([*_unknown(draft), *draft.faults])
    if env is not None and draft.unknown:  # with a file, a person has decided what to leave out
        raise SpecError(
            [*_unknown(draft), "Write a spec file that says what to search, and give it with --map."]
        )
    environments.require(draft.spec.env.id)
    save_mapping(run.folder, draft.spec)
    for p in draft.parameters:
        if p.parameter is not None:
            how = "" if p.parameter.transform == "identity" else f" by {p.parameter.transform}"
            output.note(f"{p.name} sets {p.parameter.target}{how}. {p.note}".rstrip())


def _unknown(draft: MappingDraft) -> list[str]:
    return [f"{p.name[:64]}: {p.note}" for p in draft.parameters if p.parameter is None]

"""The commands that list what a study can be made of."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from tuning import env_description, environments
from tuning.algorithms import Algorithm, Argument, algorithm, algorithm_names
from tuning.cli import output
from tuning.cli.exits import Exit, Refused
from tuning.cli.options import AsJson, RunsDir
from tuning.env_fit import env_fit
from tuning.env_survey import survey_from_children
from tuning.spec_faults import readable_faults
from tuning.spec_parts import EnvSpec

MAX_KWARGS_CHARS = 100_000


def presets(as_json: AsJson = False, runs_dir: RunsDir = None) -> None:
    """List the ready-made search spaces, and every argument that a study may set."""
    known = [algorithm(name) for name in algorithm_names()]
    if as_json:
        output.show_json([_algorithm_record(a) for a in known])
        return
    for a in known:
        output.show(_preset_text(a))


def list_environments(
    env_id: Annotated[str | None, typer.Option("--id", help="Describe this one.")] = None,
    fits: Annotated[
        str | None, typer.Option("--for", metavar="ALGORITHM", help="List only those it can be trained in.")
    ] = None,
    kwargs: Annotated[str, typer.Option(metavar="JSON", help="Arguments to make it with.")] = "{}",
    time_feature: Annotated[bool, typer.Option("--time-feature", help="Add the time that is left.")] = False,
    frame_stack: Annotated[int, typer.Option(min=1, max=16, help="Observations seen at once.")] = 1,
    normalize_observations: Annotated[bool, typer.Option("--normalize-observations")] = False,
    normalize_rewards: Annotated[bool, typer.Option("--normalize-rewards")] = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """List the environments that a study can use, or describe one.

    EDGEWISE_ENV_PACKAGES=my_envs,... adds the environments of your own packages.
    """
    wrappers = {
        "time_feature": time_feature,
        "frame_stack": frame_stack,
        "normalize_observations": normalize_observations,
        "normalize_rewards": normalize_rewards,
    }
    arguments = _kwargs(kwargs)
    found: Any
    with output.stdout_kept_clean():
        if env_id is None:
            found = environments.catalogue()
        else:
            found = env_description.describe(_env(env_id, arguments, wrappers))
    if env_id is not None:
        record = asdict(found)
        if as_json:
            output.show_json(record)
        else:
            output.show("\n".join(f"{k.replace('_', ' ')}: {v}" for k, v in record.items() if v is not None))
        return
    if fits is not None:
        found = _fitting(found, fits)
    if as_json:
        output.show_json([asdict(info) for info in found])
        return
    rows = [[i.id, _text(i.max_episode_steps), _text(i.reward_threshold), i.source] for i in found]
    headers = ["ID", "MAX STEPS", "SOLVED AT", "FROM"]
    output.show(output.table(headers, rows, right=("MAX STEPS", "SOLVED AT")))


def _fitting(infos: list[environments.EnvInfo], name: str) -> list[environments.EnvInfo]:
    """Return those in which an algorithm can be trained; say on stderr how many are left out, and why."""
    if name not in algorithm_names():
        raise Refused(
            Exit.BAD_INPUT, f"There is no algorithm {name[:60]!r}. There are: {', '.join(algorithm_names())}."
        )
    ids = [info.id for info in infos]
    fit = env_fit(ids, dict(survey_from_children(ids)), algorithm(name))
    if fit.words:
        output.note(fit.words)
    return [info for info in infos if info.id in fit.ids]


def _env(env_id: str, kwargs: dict[str, Any], wrappers: dict[str, Any]) -> EnvSpec:
    environments.require(env_id)  # says what is the matter with an id
    try:
        return EnvSpec(id=env_id, kwargs=kwargs, **wrappers)
    except ValidationError as error:
        raise Refused(Exit.BAD_INPUT, "\n".join(readable_faults(error))) from None


def _kwargs(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if len(text) <= MAX_KWARGS_CHARS else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refused(
            Exit.BAD_INPUT, f'--kwargs must be a JSON object such as {{"g": 9.81}}: received {text[:60]!r}.'
        )
    return value


def _algorithm_record(a: Algorithm) -> dict[str, Any]:
    return {
        "algorithm": a.name,
        "policies": list(a.policies),
        "presets": [
            {
                "name": preset.name,
                "title": preset.title,
                "about": preset.about,
                "n_train_envs": preset.n_train_envs,
                "search_space": [p.model_dump(mode="json", exclude_none=True) for p in preset.space],
            }
            for preset in a.presets
        ],
        "arguments": [asdict(argument) for argument in a.arguments.values()],
    }


def _preset_text(a: Algorithm) -> str:
    lines = []
    for preset in a.presets:
        rows = [
            [f"  {p.name}", p.kind, "log" if p.log else "", p.target, p.resolved_range()]
            for p in preset.space
        ]
        headers = ["  PARAMETER", "KIND", "SCALE", "SETS", "VALUES"]
        lines += [
            f"{a.name}, search_space: {preset.name}",
            f"  {preset.about}",
            output.table(headers, rows),
            "",
        ]
    rows = [[f"  {g.name}", _text(g.default), _limits(g), g.about] for g in a.arguments.values()]
    headers = ["  ARGUMENT", "DEFAULT", "LIMITS", ""]
    lines += [f"{a.name}: what hyperparameters and search spaces can set", output.table(headers, rows)]
    return "\n".join(lines)


def _limits(argument: Argument) -> str:
    return argument.limits() if argument.kind in ("float", "int") else ""


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else str(value)

"""How a study that is not ours is trained: environment, algorithm, and what each parameter sets."""

from collections.abc import Mapping
from typing import Any, get_args

import pandas as pd
import streamlit as st

from pages.components import cached, frame
from tuning.access import ReadOnly
from tuning.algorithms import algorithm, algorithm_names
from tuning.analysis.look import whole
from tuning.environments import EnvironmentsError
from tuning.launch import Run
from tuning.mapping import MappingDraft, guess_mapping, known_spec, save_mapping
from tuning.space.parameters import Transform
from tuning.spec import StudySpec
from tuning.spec_parts import EnvSpec

_UNKNOWN = "not known"
_LEFT_OUT = "left out, at its default"
_POLICY = "MlpPolicy"
_STEPS = 100_000
_TRANSFORMS = list(get_args(Transform))


def draw(run: Run, *, primary: bool) -> None:
    """Draw the form that says how a study is trained; once that is known, closed.

    Args:
        run: a study that is not ours.
        primary: saving it is the page's main button.
    """
    known = known_spec(run)
    if known is None and run.folder.mapping.is_file():
        st.warning("What was said about this study's training cannot be read any more. Say it again.")
    if known is None:
        st.info(
            "This study was opened from a file, which does not say what it trained. To train its "
            "configurations again, name the algorithm and the environment, and check what each parameter "
            "sets.",
            icon=":material/help_center:",
        )
        _draw_form(run, None, primary=primary)
        return
    said = f"{known.algorithm} on {known.env.id}, {whole(known.budget.n_timesteps)} steps a trial"
    with st.expander(f"Trained as {frame.escape(said)}", icon=":material/schema:", key="mapping-known"):
        _draw_form(run, known, primary=False)


def _draw_form(run: Run, known: StudySpec | None, *, primary: bool) -> None:
    stem = f"mapping-{run.folder.id}"
    left, right = st.columns(2)
    env_id = left.selectbox(
        "Environment",
        _environments(known),
        index=0 if known else None,
        key=f"{stem}-env",
        accept_new_options=True,
        placeholder="The one that it trained in",
        help="From the installed Gymnasium registry, and from the packages in EDGEWISE_ENV_PACKAGES.",
    )
    names = list(algorithm_names())
    first = known.algorithm if known else StudySpec.model_fields["algorithm"].default
    name = right.selectbox("Algorithm", names, index=names.index(first), key=f"{stem}-algorithm")
    steps = left.number_input(
        "Steps of a trial",
        value=known.budget.n_timesteps if known else _STEPS,
        step=10_000,
        key=f"{stem}-steps",
        help="Env steps that the study trained each trial for, over all its environments.",
    )
    envs = right.number_input(
        "Training environments", value=known.n_train_envs if known else 1, step=1, key=f"{stem}-envs"
    )
    if not env_id:
        st.caption("Pick the environment to see what each parameter is taken for.")
        return
    policy, fault = _policy(str(env_id))
    settings: dict[str, Any] = {
        "env_id": str(env_id),
        "algorithm": str(name),
        "n_timesteps": int(steps),
        "n_train_envs": int(envs),
        "policy": policy,
    }
    if known is not None:
        settings["trainer"] = known.trainer  # it has no field: only a mapping file or --map sets it
    guess = guess_mapping(run, **settings)
    choices = _draw_parameters(run, guess, str(name), key=f"{stem}-parameters-{name}")
    unknown = [stored for stored, (target, _) in choices.items() if target == _UNKNOWN]
    draft = guess_mapping(run, **settings, overrides=_overrides(guess, choices))
    faults = ([fault] if fault else []) + list(draft.faults)
    for said in faults:
        st.error(frame.escape(said), icon=":material/block:")
    if unknown:
        listed = ", ".join(frame.escape(stored[:40]) for stored in unknown[:5])
        st.warning(
            f"Nobody knows what {listed} set. Pick the argument, or leave it out if it has no effect on "
            "training: it then stays at the algorithm's default.",
            icon=":material/question_mark:",
        )
    ready = draft.spec is not None and not unknown and not faults
    st.button(
        "Train it like this",
        type="primary" if primary else "secondary",
        icon=":material/check:",
        key=f"{stem}-save",
        disabled=not ready,
        on_click=_save,
        args=(run, draft),
        help="Nothing is trained yet: it only says how.",
    )


def draw_problem(run: Run) -> None:
    """Show why what was said could not be kept."""
    if problem := st.session_state.get(_problem(run)):
        st.error(frame.escape(problem), icon=":material/error:")


def _draw_parameters(run: Run, guess: MappingDraft, name: str, *, key: str) -> dict[str, tuple[str, str]]:
    """Draw the table of parameters; return (argument, transform) by stored name, as it stands now."""
    rows = pd.DataFrame(
        {
            "parameter": [p.name for p in guess.parameters],
            "argument": [p.parameter.target if p.parameter else _UNKNOWN for p in guess.parameters],
            "transform": [p.parameter.transform if p.parameter else "identity" for p in guess.parameters],
            "note": [p.note for p in guess.parameters],
        }
    )
    column = st.column_config
    edited = st.data_editor(
        rows,
        hide_index=True,
        width="stretch",
        num_rows="fixed",
        disabled=["parameter", "note"],
        key=key,
        column_config={
            "parameter": column.TextColumn("Parameter", help="As the study stores it."),
            "argument": column.SelectboxColumn(
                "Sets", options=[*algorithm(name).arguments, _LEFT_OUT, _UNKNOWN], required=True
            ),
            "transform": column.SelectboxColumn(
                "Transform",
                options=_TRANSFORMS,
                required=True,
                help="From stored value to argument.",
            ),
            "note": column.TextColumn("Note", width="medium"),
        },
    )
    st.caption("Guessed from names and ranges, as RL Zoo stores them. Correct what is wrong.")
    return {
        str(row.parameter): (str(row.argument), str(row.transform)) for row in edited.itertuples(index=False)
    }


def _overrides(
    guess: MappingDraft, choices: Mapping[str, tuple[str, str]]
) -> dict[str, Mapping[str, Any] | None]:
    """Return what the person chose otherwise than the guess."""
    found: dict[str, Mapping[str, Any] | None] = {}
    for p in guess.parameters:
        target, transform = choices.get(p.name, (_UNKNOWN, "identity"))
        if target in (_LEFT_OUT, _UNKNOWN):
            found[p.name] = None
        elif p.parameter is None or (target, transform) != (p.parameter.target, p.parameter.transform):
            found[p.name] = {"target": target, "transform": transform}
    return found


def _environments(known: StudySpec | None) -> list[str]:
    """Return the environments that can be chosen, the one that is known first."""
    try:
        found = [info.id for info in cached.catalogue()]
    except EnvironmentsError as error:
        st.error(frame.escape(str(error)), icon=":material/error:")
        found = []
    return [known.env.id, *(e for e in found if e != known.env.id)] if known else found


def _policy(env_id: str) -> tuple[str, str | None]:
    """Return the policy that reads an environment's observations, and why it cannot be trained in."""
    try:
        seen = cached.environment(EnvSpec(id=env_id).model_dump_json())
    except EnvironmentsError as error:
        return _POLICY, str(error)
    return seen.policy, seen.fault


def _save(run: Run, draft: MappingDraft) -> None:
    st.session_state.pop(_problem(run), None)
    assert draft.spec is not None
    try:
        save_mapping(run.folder, draft.spec)
    except (ReadOnly, OSError, ValueError) as error:
        st.session_state[_problem(run)] = str(error)


def _problem(run: Run) -> str:
    return f"mapping-{run.folder.id}-problem"

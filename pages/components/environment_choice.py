"""The environment on Launch: the list to choose from, its wrappers and its arguments."""

import json
import re
from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components import cached, environment_table, frame
from pages.components.launch_fields import PREFIX, draw_toggle, draw_whole, read_mapping
from tuning.algorithms import algorithm
from tuning.env_fit import Fit, env_fit
from tuning.environments import EnvInfo, EnvironmentsError, close_ids, meant_id
from tuning.spec import StudySpec

LABELS: dict[str, str] = {"env.frame_stack": "Frame stack"}
_GIVEN_NAME = "launch-given-name"  # session: the study's name as the form chose it; one that was typed stays
_SHOW_ALL = PREFIX + "all-envs"
_WAIT_S = 0.3  # for what children find out about all environments; what takes longer fills in
_TICK_S = 0.5


def fields(spec: StudySpec) -> dict[str, Any]:
    """Return the value of each field, by its key."""
    return {
        "env": spec.env.id,
        "env-kwargs": json.dumps(spec.env.kwargs) if spec.env.kwargs else "",
        "normalize-observations": spec.env.normalize_observations,
        "normalize-rewards": spec.env.normalize_rewards,
        "time-feature": spec.env.time_feature,
        "frame-stack": spec.env.frame_stack,
        "policy": spec.policy,
    }


def data(get: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return this part of the request; a faulty field adds a sentence to `faults`."""
    kwargs = read_mapping(get["env-kwargs"], "Environment arguments", "g: 9.81", faults)
    return {
        "env": {
            "id": get["env"] or "",
            "kwargs": kwargs,
            "normalize_observations": get["normalize-observations"],
            "normalize_rewards": get["normalize-rewards"],
            "time_feature": get["time-feature"],
            "frame_stack": get["frame-stack"],
        }
    }


def draw_environment_choice() -> None:
    """Draw the list of environments that the algorithm can act in; another id may be typed."""
    infos, fit = _catalogue()
    st.session_state.setdefault(_GIVEN_NAME, st.session_state[PREFIX + "name"])
    if picked := environment_table.picked():
        st.session_state[PREFIX + "env"] = picked
        _name_after_environment()
    show_all = bool(st.session_state.get(_SHOW_ALL))
    known = [info.id for info in infos] if show_all else list(fit.ids)
    current = st.session_state[PREFIX + "env"]
    st.selectbox(
        "Environment",
        known if current in known or not current else [current, *known],
        key=PREFIX + "env",
        accept_new_options=True,
        on_change=_take_environment,
        persist_state="session",
        help="Type to search. From the installed Gymnasium registry, and from the packages in "
        "EDGEWISE_ENV_PACKAGES.",
    )
    if fit.hidden and not show_all:
        st.caption(frame.escape(fit.words))
    with st.container(horizontal=True, vertical_alignment="center"):
        if infos and st.button("Browse", key=PREFIX + "browse-envs", icon=":material/view_list:"):
            environment_table.browse(infos, cached.survey(_ids(infos)).found, fit.hidden)
        if fit.hidden:
            st.checkbox(
                f"List all {len(infos)}",
                key=_SHOW_ALL,
                persist_state="session",
                help="Those too in which this algorithm cannot be trained.",
            )


def draw_suggestions(env_id: str) -> None:
    """Offer what may have been meant by an id that was typed and does not exist."""
    known = _known_ids()
    close = [] if env_id in known else close_ids(env_id, known)
    if not close:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="env-suggestions"):
        st.caption("Did you mean", width="content")
        for meant in close:
            st.button(meant, key=f"env-meant-{meant}", on_click=_choose_environment, args=(meant,))


def draw_settings() -> None:
    """Draw what goes around the environment, and what it is made with."""
    with st.expander("Wrappers and arguments of the environment", icon=":material/layers:"):
        columns = st.columns([4, 3, 3, 3], vertical_alignment="bottom")
        with columns[0]:
            draw_toggle(
                "normalize-observations",
                "Normalise observations",
                help="By their running mean and variance, kept with each policy. Helps where numbers have "
                "very different sizes, as in most robots; not for images.",
            )
        with columns[1]:
            draw_toggle(
                "normalize-rewards",
                "Normalise rewards",
                help="In training, by the running spread of discounted returns. What is reported stays as "
                "the environment pays it.",
            )
        with columns[2]:
            draw_toggle(
                "time-feature",
                "Time feature",
                help="Adds the share of the episode that is left to what the agent sees. Helps where a limit "
                "of steps ends episodes.",
            )
        with columns[3]:
            draw_whole(
                "frame-stack",
                "Frame stack",
                help="Observations seen at once, the newest last: 4 for images, from which nobody reads "
                "a speed. 1: only the present one.",
            )
        st.caption(
            "In this order: time feature, frame stack, normalising. Trainings, evaluations, rollouts and "
            "exports all use the same."
        )
        st.text_area(
            "Environment arguments",
            key=PREFIX + "env-kwargs",
            placeholder='{"g": 9.81}',
            persist_state="session",
            help="Keyword arguments of the environment, as JSON or one `name: value` a line.",
        )


def study_name(env_id: str) -> str:
    """Return a name for a study of this environment: `cartpole` for CartPole-v1."""
    name = env_id.rpartition("/")[2].rpartition("-v")[0] or env_id
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:48] or "study"


def _catalogue() -> tuple[list[EnvInfo], Fit]:
    """Return all environments, and how they fit the algorithm by what is known of them so far."""
    try:
        infos = cached.catalogue()
    except EnvironmentsError as error:
        st.error(frame.escape(str(error)), icon=":material/error:")
        infos = []
    survey = cached.survey(_ids(infos))
    if not survey.wait(_WAIT_S):
        st.fragment(run_every=_TICK_S)(_draw_progress)(_ids(infos))
    return infos, env_fit(survey.ids, survey.found, algorithm(st.session_state[PREFIX + "algorithm"]))


def _draw_progress(ids: tuple[str, ...]) -> None:
    survey = cached.survey(ids)
    if survey.is_done:
        st.rerun()
    st.caption(f":material/hourglass_empty: Looking at {len(ids)} environments: {len(survey.found)} so far.")


def _ids(infos: list[EnvInfo]) -> tuple[str, ...]:
    return tuple(info.id for info in infos)


def _known_ids() -> list[str]:
    try:
        return [info.id for info in cached.catalogue()]
    except EnvironmentsError:
        return []  # the list says so


def _take_environment() -> None:
    """Take what was chosen or typed; a name such as `cartpole` is the id that it can only mean."""
    typed = st.session_state[PREFIX + "env"] or ""
    known = _known_ids()
    _choose_environment(typed if typed in known else meant_id(typed, known) or typed)


def _choose_environment(env_id: str) -> None:
    st.session_state[PREFIX + "env"] = env_id or None
    _name_after_environment()


def _name_after_environment() -> None:
    name, env_id = st.session_state[PREFIX + "name"], st.session_state[PREFIX + "env"]
    if env_id and name == st.session_state.get(_GIVEN_NAME):
        st.session_state[PREFIX + "name"] = st.session_state[_GIVEN_NAME] = study_name(env_id)

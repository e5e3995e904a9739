"""The choice of the environment, and what an agent sees and does in it."""

import json
import re
from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components import cached, frame
from pages.components.launch_fields import PREFIX, read_mapping
from tuning.analysis.look import three_digits, whole
from tuning.env_description import EnvDescription
from tuning.environments import EnvironmentsError
from tuning.spec import StudySpec
from tuning.spec_parts import EnvSpec

DEFAULT_POLICY = "MlpPolicy"
LABELS: dict[str, str] = {}
_GIVEN_NAME = "launch-given-name"  # session: the study's name as the form chose it; one that was typed stays


def fields(spec: StudySpec) -> dict[str, Any]:
    """Return the value of each field, by its key."""
    return {"env": spec.env.id, "env-kwargs": json.dumps(spec.env.kwargs) if spec.env.kwargs else ""}


def data(get: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return this part of the request; a faulty field adds a sentence to `faults`."""
    kwargs = read_mapping(get["env-kwargs"], "Environment arguments", "g: 9.81", faults)
    return {"env": {"id": get["env"] or "", "kwargs": kwargs}}


def draw_kwargs() -> None:
    """Draw the keyword arguments of the environment."""
    st.text_area(
        "Environment arguments",
        key=PREFIX + "env-kwargs",
        placeholder='{"g": 9.81}',
        persist_state="session",
        help="Keyword arguments of the environment, as JSON or one `name: value` a line.",
    )


def draw_environment_choice() -> None:
    """Draw the list of environments; an id that is not in it may be typed."""
    try:
        known = [info.id for info in cached.catalogue()]
    except EnvironmentsError as error:
        st.error(frame.escape(str(error)), icon=":material/error:")
        known = []
    current = st.session_state[PREFIX + "env"]
    st.session_state.setdefault(_GIVEN_NAME, st.session_state[PREFIX + "name"])
    st.selectbox(
        "Environment",
        known if current in known or not current else [current, *known],
        key=PREFIX + "env",
        accept_new_options=True,
        on_change=_name_after_environment,
        persist_state="session",
        help="From the installed Gymnasium registry, and from the packages in EDGEWISE_ENV_PACKAGES.",
    )


def draw_environment(data: dict[str, Any]) -> tuple[str, list[str]]:
    """Describe the environment; return the policy that reads its observations, and why it cannot be used."""
    try:
        env = EnvSpec.model_validate(data)
    except ValueError:
        return DEFAULT_POLICY, []  # the faults of the request say so
    try:
        seen = cached.environment(env.model_dump_json())
    except EnvironmentsError as error:
        return DEFAULT_POLICY, [str(error)]
    st.caption(description(seen))
    if seen.caution:
        st.caption(f":orange[:material/warning:] {frame.escape(seen.caution)}")
    return seen.policy, [seen.fault] if seen.fault else []


def study_name(env_id: str) -> str:
    """Return a name for a study of this environment: `cartpole` for CartPole-v1."""
    name = env_id.rpartition("/")[2].rpartition("-v")[0] or env_id
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:48] or "study"


def _name_after_environment() -> None:
    name, env_id = st.session_state[PREFIX + "name"], st.session_state[PREFIX + "env"]
    if env_id and name == st.session_state.get(_GIVEN_NAME):
        st.session_state[PREFIX + "name"] = st.session_state[_GIVEN_NAME] = study_name(env_id)


def description(seen: EnvDescription) -> str:
    """Return what an agent sees and does, as one line of Markdown."""
    parts = [
        f"Observes {frame.escape(seen.observation_space)}",
        f"acts in {frame.escape(seen.action_space)}",
    ]
    if seen.max_episode_steps:
        parts.append(f"episodes end after {whole(seen.max_episode_steps)} steps")
    if seen.reward_threshold is not None:
        parts.append(f"solved at a return of {three_digits(seen.reward_threshold)}")
    return " · ".join(parts)

"""What an agent sees and does in the chosen environment, a picture of it, and the policy that reads it."""

from functools import partial
from typing import Any

import streamlit as st

from pages.components import cached, environment_choice, frame
from pages.components.launch_fields import PREFIX, draw_choice
from tuning import env_survey
from tuning.algorithms import Algorithm
from tuning.analysis.look import three_digits, whole
from tuning.env_description import EnvDescription, training_faults
from tuning.environments import EnvironmentsError
from tuning.spec_parts import EnvSpec, wrappers_text

_POLICY = PREFIX + "policy"
_WAIT_S = 0.25  # a picture that takes no longer is drawn at once
_TICK_S = 0.5


def draw_environment(data: dict[str, Any], known: Algorithm) -> tuple[str, list[str]]:
    """Describe an environment; return the policy that reads it, and why it cannot be trained in.

    Args:
        data: the request's `env`.
        known: the algorithm.
    """
    try:
        env = EnvSpec.model_validate(data)
    except ValueError:
        return known.policies[0], []  # the faults of the request say so
    try:
        seen = cached.environment(env.model_dump_json())
    except EnvironmentsError as error:
        environment_choice.draw_suggestions(env.id)
        return known.policies[0], [str(error)]
    left, right = st.columns([1, 4], vertical_alignment="center")
    with right:
        st.markdown(description(seen, env))
        if seen.caution:
            st.caption(f":orange[:material/warning:] {frame.escape(seen.caution)}")
        policy = _draw_policy(seen, known)
    with left:
        _draw_picture(EnvSpec(id=env.id, kwargs=env.kwargs))
    return policy, training_faults(seen, known, policy)


def observation_bytes(env: EnvSpec) -> int:
    """Return the size of one observation; 0 when the environment cannot be made."""
    try:
        return cached.environment(env.model_dump_json()).observation_bytes
    except EnvironmentsError:
        return 0


def description(seen: EnvDescription, env: EnvSpec) -> str:
    """Return what an agent sees and does, as a few lines of Markdown."""
    ends = "episodes have no limit of steps"
    if seen.max_episode_steps:
        ends = f"episodes end after {whole(seen.max_episode_steps)} steps"
    solved = "no return counts as solved"
    if seen.reward_threshold is not None:
        solved = f"solved at a return of {three_digits(seen.reward_threshold)}"
    lines = [
        f"Observes {frame.escape(seen.observation_space)}",
        f"Acts in {frame.escape(seen.action_space)}",
        f"{ends.capitalize()}; {solved}",
    ]
    if env.wrappers:
        lines.append(f"With {wrappers_text(env)}")
    return "  \n".join(lines)


def _draw_policy(seen: EnvDescription, known: Algorithm) -> str:
    """Return the policy, chosen by a person where several of the algorithm's read the observations."""
    fitting = known.policies_for(seen.observation_kind)
    if not fitting:
        return known.policies[0]
    if st.session_state.get(_POLICY) not in fitting:
        st.session_state[_POLICY] = fitting[0]
    if len(fitting) > 1:
        draw_choice("policy", "Policy", {name: name for name in fitting}, help="The network that acts.")
    return str(st.session_state[_POLICY])


def _draw_picture(env: EnvSpec) -> None:
    asked = env.model_dump_json()
    future = cached.pictures().ask("picture", asked, partial(_picture, env))
    waits = not _is_done(future)
    st.fragment(run_every=_TICK_S if waits else None)(_show)(future, waits)


def _is_done(future: Any) -> bool:
    try:
        future.exception(timeout=_WAIT_S)
    except TimeoutError:
        return False
    return True


def _show(future: Any, waits: bool) -> None:
    if not future.done():
        st.caption(":material/hourglass_empty: Drawing it")
        return
    if waits:
        st.rerun()  # and so the ticking ends
    drawn = future.result()
    if isinstance(drawn, bytes):
        st.image(drawn, caption="Start of an episode")
    else:
        st.caption(f":material/image_not_supported: No picture. {frame.escape(drawn)}")


def _picture(env: EnvSpec) -> bytes | str:
    """Return a picture, or why there is none."""
    try:
        return env_survey.picture_from_child(env)
    except EnvironmentsError as error:
        return str(error)

"""Who shall play next, from which start: the defaults against the tuned agent, or anybody else."""

import random
from dataclasses import dataclass

import streamlit as st

from pages.components import frame, rollout_address
from pages.components.rollout_progress import attempt
from storage.paths import RunFolder
from tuning.launch import Run
from tuning.rollout import MOST_ACTORS, MOST_EPISODES, MOST_SEED, Rollout
from tuning.rollout_actors import Cast
from tuning.rollout_jobs import RolloutJob, start_rollout

_SEEDS = 10_000  # a start that is drawn is short enough to be said aloud


@dataclass(frozen=True)
class _Keys:
    """Where the form's widgets keep what a person gave, for each study apart."""

    who: str
    seed: str
    episodes: str


def draw(run: Run, cast: Cast, *, primary: bool) -> None:
    """Draw the form and the comparisons of one click.

    Args:
        run: the study.
        cast: who can play; at least one.
        primary: whether rendering is what the page is for now.
    """
    keys = _Keys(*(f"rollout-{part}-{run.folder.id}" for part in ("who", "seed", "episodes")))
    with st.container(border=True, key="rollout-chooser"):
        st.subheader("Render a video", anchor=False)
        by_key = {part.key: part for part in cast.parts}
        chosen = st.multiselect(
            "Who plays, from left to right",
            list(by_key),
            default=[key for key in cast.pair if key in by_key] or list(by_key)[:1],
            key=keys.who,
            max_selections=MOST_ACTORS,
            format_func=lambda key: (
                f"{by_key[key].actor.label}: {by_key[key].note}" if key in by_key else key
            ),
            help="All meet the same initial state. The numbers are mean returns from the search or from a "
            "re-evaluation.",
        )
        left, middle, right = st.columns([2, 1, 2], vertical_alignment="bottom")
        with left:
            st.number_input(
                "Start",
                value=0,
                min_value=0,
                max_value=MOST_SEED - MOST_EPISODES,
                step=1,
                key=keys.seed,
                help="The seed of the environment: it decides the initial state.",
            )
        with middle:
            st.number_input(
                "Episodes",
                value=1,
                min_value=1,
                max_value=MOST_EPISODES,
                step=1,
                key=keys.episodes,
                help="Played one after the other, each from a start of its own.",
            )
        with right:
            st.button("Another start", icon=":material/casino:", on_click=_draw_seed, args=(keys,))
        with st.container(horizontal=True):
            st.button(
                "Render",
                type="primary" if primary else "secondary",
                icon=":material/movie:",
                key="rollout-render",
                disabled=not chosen,
                on_click=_render_chosen,
                args=(run.folder, cast, keys),
            )
            for comparison in cast.comparisons:
                st.button(
                    comparison.label,
                    icon=":material/compare:",
                    key=f"rollout-compare-{comparison.keys[0]}",
                    on_click=_render_keys,
                    args=(run.folder, cast, comparison.keys, keys),
                    help="Renders them side by side from the start above.",
                )
    if cast.missing:
        st.info(cast.missing, icon=":material/flag:")
        link_to_reevaluation(run.folder)


def draw_from_another_start(study: RunFolder, job: RolloutJob) -> None:
    """Draw the button that shows the same actors from the next start."""
    st.button(
        "From another start",
        icon=":material/casino:",
        key="rollout-next",
        on_click=_render_next,
        args=(study, job),
        help="Renders the same policies from an initial state that is drawn anew.",
    )


def link_to_reevaluation(folder: RunFolder) -> None:
    """Draw the way to the page that trains candidates again, where it is."""
    (page,) = [p for group in frame.PAGES for p in group if p[0] == "pages/reevaluation.py"]
    if frame.linked([page]):
        st.page_link(page[0], label=page[1], icon=page[2], query_params={"study": folder.id})


def _draw_seed(keys: _Keys) -> None:
    st.session_state[keys.seed] = random.randrange(_SEEDS)


def _render_chosen(folder: RunFolder, cast: Cast, keys: _Keys) -> None:
    _render_keys(folder, cast, tuple(st.session_state[keys.who]), keys)


def _render_keys(folder: RunFolder, cast: Cast, chosen: tuple[str, ...], keys: _Keys) -> None:
    assert cast.env is not None
    known = {part.key for part in cast.parts}
    request = Rollout(
        env=cast.env,
        actors=tuple(cast.part(key).actor for key in chosen if key in known)[:MOST_ACTORS],
        seed=int(st.session_state[keys.seed]),
        n_episodes=int(st.session_state[keys.episodes]),
    )
    _start(folder, request)


def _render_next(folder: RunFolder, job: RolloutJob) -> None:
    _start(folder, job.request.model_copy(update={"seed": random.randrange(_SEEDS)}))


def _start(folder: RunFolder, request: Rollout) -> None:
    attempt(folder, lambda: rollout_address.choose(start_rollout(folder, request)))

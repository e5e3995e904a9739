"""What studies are there, and how is each of them doing?"""

from collections.abc import Callable

import streamlit as st

from pages.components import (
    about_study,
    cached,
    frame,
    room,
    studies_csv,
    study_labels,
    study_opening,
    study_search,
    weighing,
)
from pages.components.deletion import confirm_deletion
from pages.components.job_controls import PROBLEM
from pages.components.study_table import ABOUT, DELETE, draw_study_table, pending, study_row
from storage.paths import runs_root
from tuning import examples, jobs, launch, queue
from tuning.access import is_read_only

REFRESH = "3s"
_PROBLEM = "home-problem"  # session: why the last press did nothing

frame.open_page(
    "Studies", "What studies are there, and how is each of them doing?", icon=":material/science:"
)


def draw_studies(n_alive: int, *, is_weighing: bool) -> None:
    """Draw the table; redraw the whole page when a study starts or ends, or the last verdict is there."""
    present = frame.studies()
    rows = [study_row(folder) for folder in present]
    all_weighed = is_weighing and not n_alive and not any(row.is_weighing for row in rows)
    if sum(row.moves for row in rows) != n_alive or all_weighed:
        st.rerun()
    found = study_search.draw(rows)
    if found:
        draw_study_table(found, study_labels.labels(present))
    studies_csv.draw(found)
    if n_alive:
        st.caption(f":material/memory: {room.look().sentence}")


def attempt(action: Callable[[], None]) -> None:
    """Do what a button asks for; where the disk or the server's owner does not let it, that is said."""
    try:
        action()
    except OSError as error:
        st.session_state[_PROBLEM] = str(error)


def run_story() -> None:
    """Launch the Pendulum story and show it live."""
    folder = launch.create_study(examples.pendulum_story(), runs_root())
    try:
        launch.start(folder)
    except (jobs.StartFailed, jobs.AlreadyRunning, OSError) as error:
        st.session_state[PROBLEM] = str(error)  # which Live shows
    frame.go("pages/live.py", folder)


def open_example() -> None:
    """Copy the recorded study into the runs folder, once, and show its history."""
    frame.go("pages/history.py", examples.copy_recorded(examples.recorded()[0], runs_root()))


def open_pair() -> None:
    """Copy the study whose space was too narrow, and the one that continues it; show how it was found."""
    pair = [examples.copy_recorded(source, runs_root()) for source in examples.recorded_pairs()[0]]
    frame.go("pages/saturation.py", pair[0])


def offer_examples(present: set[str]) -> None:
    """Draw a button for each shipped example that is not among the studies yet."""
    if examples.recorded() and examples.recorded()[0].name not in present:
        st.button(
            "Open the recorded example", icon=":material/folder_open:", on_click=attempt, args=(open_example,)
        )
    pairs = examples.recorded_pairs()
    if pairs and not {path.name for path in pairs[0]} <= present:
        st.button(
            "Open the widened example",
            icon=":material/arrow_range:",
            on_click=attempt,
            args=(open_pair,),
            help="A recorded study whose search space was too narrow, and the study that continues it.",
        )


if problem := st.session_state.pop(_PROBLEM, None):
    st.error(frame.escape(problem), icon=":material/error:")
folders = frame.studies()
for folder in folders:
    cached.tidy(folder)
queue.take_up(runs_root())

if not folders and is_read_only():
    st.info(
        "There is no study yet. This server only shows studies: they are launched elsewhere and appear here.",
        icon=":material/visibility:",
    )
    st.stop()
if not folders:
    with st.container(border=True, key="empty"):
        st.subheader("No study yet", anchor=False)
        st.markdown(
            "PPO with its default hyperparameters fails on Pendulum-v1: about -1100 after 40 000 steps. "
            "The Pendulum story searches four of them with two workers and finds a configuration that "
            "balances the pendulum, in about five minutes."
        )
        with st.container(horizontal=True):
            st.button(
                "Run the Pendulum story",
                type="primary",
                icon=":material/play_arrow:",
                on_click=attempt,
                args=(run_story,),
            )
            offer_examples(set())
        st.page_link(
            "pages/launch.py", label="Or set up a study of your own", icon=":material/rocket_launch:"
        )
    study_opening.draw()
    st.stop()

if (doomed := pending(DELETE)) and not is_read_only():
    confirm_deletion(doomed)
elif not is_read_only():
    about_study.draw_dialog(pending(ABOUT))

n_alive = sum(jobs.job_status(folder).state.moves for folder in folders)
is_weighing = any(weighing.known_saturation(folder).pending for folder in folders)
st.fragment(draw_studies, run_every=REFRESH if n_alive or is_weighing else None)(
    n_alive, is_weighing=is_weighing
)
if is_read_only():
    st.stop()
with st.container(horizontal=True):
    if st.button("New study", type="primary", icon=":material/add:"):
        st.switch_page("pages/launch.py")
    offer_examples({folder.id for folder in folders})
study_opening.draw()

"""What every page starts with: its configuration, the sidebar with the study picker, title and question."""

import contextlib
import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import streamlit as st

from pages.components import cached, study_labels
from storage.paths import RunFolder, UnknownRun, find_run, list_runs, runs_root
from storage.remarks import study_name
from storage.source import SourceUnreadable, is_opened, read_source
from tuning.access import is_read_only
from tuning.jobs import PROJECT_ROOT, JobState, job_status
from tuning.launch import Run
from tuning.study_jobs import running_job

_LAUNCH = "pages/launch.py"
Link = tuple[str, str, str]  # file, label, icon

# In the order of the work. A page that has no file is left out, and so is Launch where it is of no use.
PAGES = (
    (
        ("app.py", "Studies", ":material/science:"),
        ("pages/guide.py", "Guide", ":material/school:"),
    ),
    (
        (_LAUNCH, "Launch", ":material/rocket_launch:"),
        ("pages/live.py", "Live", ":material/monitoring:"),
    ),
    (
        ("pages/history.py", "History", ":material/show_chart:"),
        ("pages/slices.py", "Slices", ":material/scatter_plot:"),
        ("pages/compare.py", "Compare", ":material/compare_arrows:"),
        ("pages/saturation.py", "Saturation", ":material/arrow_range:"),
        ("pages/reevaluation.py", "Re-evaluation", ":material/verified:"),
        ("pages/rollouts.py", "Rollouts", ":material/movie:"),
    ),
)

STATE_COLOURS = {
    JobState.CREATED: "gray",
    JobState.QUEUED: "blue",
    JobState.RUNNING: "violet",
    JobState.STOPPING: "violet",
    JobState.FINISHED: "green",
    JobState.STOPPED: "gray",
    JobState.FAILED: "red",
    JobState.INTERRUPTED: "orange",
    JobState.OPENED: "blue",
}

_FAVICON = str(Path(__file__).with_name("favicon.svg"))  # an icon by name would be fetched from another host
_SIDEBAR_PX = 280
_STUDY = "study"  # the name in the URL and, as a fallback, in the session
_PICKER = "study-picker"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|$~:&@/=^\"'])")

# Bare addresses become links even where every character is escaped; an invisible word joiner breaks them.
_ADDRESS = re.compile(r"(?i)(?<=:/)(?=/)|(?<=www)(?=\.)|(?<=@)")


def open_page(title: str, question: str, *, icon: str, wide: bool = True) -> None:
    """Start a page: configuration, sidebar, title, and the question it answers.

    Args:
        title: the page's name.
        question: one line under the title.
        icon: a `:material/...:` icon.
        wide: use the whole width of the window.
    """
    st.set_page_config(
        page_title=f"{title} · Edgewise",
        page_icon=_FAVICON,
        layout="wide" if wide else "centered",
        initial_sidebar_state=_SIDEBAR_PX,
    )
    with st.sidebar:
        st.subheader("Edgewise", anchor=False)
        if is_read_only():
            st.badge("Read-only", icon=":material/visibility:", color="gray")
        chosen = _draw_picker()
        for number, group in enumerate(PAGES):
            present = linked(group)
            if not present:
                continue
            with st.container(gap="xxsmall", key=f"pages-{number}"):
                for file, label, page_icon in present:
                    params = {_STUDY: chosen.id} if chosen and file != "app.py" else None
                    st.page_link(file, label=label, icon=page_icon, width="stretch", query_params=params)
        st.caption(f"Version {_version()}")
    st.title(title, anchor=False, icon=icon)
    st.caption(question)


def open_bare_page(title: str) -> None:
    """Start a page that shows one thing alone: no sidebar, no title, the whole width."""
    st.set_page_config(
        page_title=f"{title} · Edgewise",
        page_icon=_FAVICON,
        layout="wide",
        initial_sidebar_state="collapsed",
    )


def linked(group: Iterable[Link]) -> list[Link]:
    """Return the pages of a group that can be gone to."""
    hidden = {_LAUNCH} if is_read_only() else set()
    return [page for page in group if page[0] not in hidden and (PROJECT_ROOT / page[0]).is_file()]


def link(page: str, label: str = "", *, anchor: str = "") -> None:
    """Draw a link to a page, by the name of its file; nothing where the page cannot be gone to.

    Args:
        page: "launch", "history", ...
        label: what to call it; empty: as the sidebar does.
        anchor: of a heading on it. It opens in a tab of its own then: within one, Streamlit goes to the top.
    """
    for file, name, icon in linked(entry for group in PAGES for entry in group):
        if file != f"pages/{page}.py":
            continue
        if anchor:
            st.link_button(label or name, f"{page}#{anchor}", icon=icon, type="tertiary")
        else:
            st.page_link(file, label=label or name, icon=icon)


def chosen_study() -> RunFolder | None:
    """Return the study that is looked at, or None when there is none or its id is wrong.

    The URL says which; without it the session does; without that it is the newest.
    """
    wanted = _wanted()
    if wanted is None:
        return next(iter(studies()), None)
    try:
        return find_run(runs_root(), wanted)
    except UnknownRun:
        return None


def require_study() -> RunFolder:
    """Return the study that is looked at; where there is none, say what to do and end the page."""
    folder = chosen_study()
    if folder is not None:
        choose(folder)
        return folder
    if studies():
        st.warning(
            f"There is no study named {escape((_wanted() or '')[:80])} here. It may have been deleted. "
            "Pick another one in the sidebar, or see them all.",
            icon=":material/search_off:",
        )
    elif is_read_only():
        st.info("There is no study yet: they are launched elsewhere.", icon=":material/visibility:")
    else:
        st.info(
            "No study yet. Launch one, or run the Pendulum story from the first page.",
            icon=":material/science:",
        )
        st.page_link("pages/launch.py", label="Launch a study", icon=":material/rocket_launch:")
    st.page_link("app.py", label="All studies", icon=":material/science:")
    st.stop()


def require_run(folder: RunFolder) -> Run:
    """Return the study's contents; where they cannot be read, say why and end the page."""
    try:
        return cached.run(folder)
    except cached.UNREADABLE as error:
        show_unreadable(folder, error)
        st.stop()


def show_unreadable(folder: RunFolder, error: Exception) -> None:
    """Say in plain words why a study cannot be read."""
    st.error(
        f"The study {escape(study_name(folder))} cannot be read. {escape(str(error))} " + _remedy(folder),
        icon=":material/broken_image:",
    )


def _remedy(folder: RunFolder) -> str:
    if is_opened(folder):
        return "If it is gone for good, remove it from the list on the first page."
    return "Restore its files from a backup, or delete it on the first page."


def choose(folder: RunFolder) -> None:
    """Make a study the one that is looked at, in the URL and in the session."""
    st.session_state[_STUDY] = folder.id
    if st.query_params.get(_STUDY) != folder.id:
        st.query_params[_STUDY] = folder.id


def go(page: str, folder: RunFolder) -> None:
    """Switch to another page and look at this study there."""
    st.session_state[_STUDY] = folder.id
    st.switch_page(page, query_params={_STUDY: folder.id})


def studies() -> list[RunFolder]:
    """Return every study in the runs folder, newest first."""
    return list_runs(runs_root())


def theme() -> str:
    """Return "dark" or "light", as the browser shows the page."""
    return "dark" if st.context.theme.type == "dark" else "light"


def escape(text: str) -> str:
    """Return text from a study so that Markdown shows it as it is, on one line, and links nothing."""
    return _MARKDOWN.sub(r"\\\1", _ADDRESS.sub("\u2060", " ".join(text.split())))


def _wanted() -> str | None:
    wanted = st.query_params.get(_STUDY) or st.session_state.get(_STUDY)
    return str(wanted) if wanted else None


def _draw_picker() -> RunFolder | None:
    folders = studies()
    chosen = chosen_study()
    if not folders:
        return None
    states = {folder.id: job_status(folder).state for folder in folders}
    names = study_labels.labels(folders)
    st.session_state[_PICKER] = chosen.id if chosen else None
    st.selectbox(
        "Study",
        list(states),
        key=_PICKER,
        format_func=lambda study: names.get(study, study),
        placeholder="Pick a study",
        on_change=_pick,
        help="The study that the pages below show. It travels in the page's address.",
    )
    if chosen and chosen.id in states:
        state = states[chosen.id]
        with st.container(horizontal=True, gap="small"):
            st.badge(state.value.capitalize(), color=STATE_COLOURS[state])  # type: ignore[arg-type]
            if kind := running_job(chosen):
                st.badge(f"{kind.capitalize()} running", color="violet")
        _draw_source(chosen)
    return chosen


def _draw_source(folder: RunFolder) -> None:
    """Name the file of a study that is not ours."""
    with contextlib.suppress(SourceUnreadable):  # the page that shows the study says so
        source = read_source(folder)
        if source is not None:
            st.caption(f"Read from {escape(source.path.name[:80])}", help=escape(str(source.path)))


def _pick() -> None:
    picked = st.session_state[_PICKER]
    if picked:
        st.session_state[_STUDY] = picked
        st.query_params[_STUDY] = picked


@cache
def _version() -> str:
    with Path(PROJECT_ROOT, "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])

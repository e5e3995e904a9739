"""The table of all studies: one row each, with buttons to open and delete it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from pages.components import cached, frame, weighing
from storage.paths import RunFolder
from storage.source import read_source
from storage.winner import read_winner
from tuning import jobs
from tuning.access import is_read_only
from tuning.analysis import verdict_words
from tuning.analysis.look import age, three_digits
from tuning.jobs import JobState
from tuning.lineage import parent_of

OPEN, DELETE = "open-study", "delete-study"  # keys of the two button columns
UNREADABLE = "unreadable"

# Columns in their order, in px; together they fit a window of 1280.
WIDTHS = {
    "study": 156,
    "open": 58,
    "state": 82,
    "progress": 52,
    "trials": 76,
    "best": 54,
    "best_so_far": 52,
    "ranges": 88,
    "task": 144,
    "age": 58,
    "delete": 40,
}
CHOSEN_WIDTH = 54  # px; of a column that is only there once a study has a chosen trial


@dataclass(frozen=True)
class StudyRow:
    """What the table shows of one study; None where its files do not say."""

    id: str
    state: str  # a job state, or "unreadable"
    environment: str | None = None
    algorithm: str | None = None
    done: int | None = None
    total: int | None = None
    best: float | None = None
    chosen: int | None = None  # the trial that a person chose in the end
    best_so_far: tuple[float, ...] = ()
    created_at: float | None = None  # seconds since the epoch
    file: str | None = None  # where a study that is not ours lies
    continues: str | None = None  # id of the study that it continues
    ranges: str = ""  # the worst verdict on its ranges; empty while it is not known
    is_weighing: bool = False  # a thread works that verdict out

    @property
    def alive(self) -> bool:
        """Whether it runs now."""
        return self.state in (JobState.RUNNING, JobState.STOPPING)


def study_row(folder: RunFolder) -> StudyRow:
    """Read one study for the table; one that cannot be read gets a row that says so."""
    try:
        status = jobs.job_status(folder)
        spec, summary = cached.spec(folder), cached.summary(folder)
        source = read_source(folder)
    except cached.UNREADABLE:
        return StudyRow(folder.id, UNREADABLE)
    known = weighing.known_saturation(folder)
    ranges = verdict_words.study_word(known.info) if known.info else ""
    chosen = winner.trial if (winner := read_winner(folder)) else None
    if spec is None:
        return StudyRow(
            id=folder.id,
            state=status.state.value,
            done=summary.n_trials,
            best=summary.best_value,
            chosen=chosen,
            best_so_far=_thinned(summary.best_so_far),
            created_at=status.created_at,
            file=str(source.path) if source else None,
            ranges=ranges,
            is_weighing=known.pending,
        )
    return StudyRow(
        id=folder.id,
        state=status.state.value,
        environment=spec.env.id,
        algorithm=spec.algorithm,
        continues=parent.id if (parent := parent_of(folder)) else None,
        done=summary.n_counted,
        total=spec.budget.n_trials,
        best=summary.best_value,
        chosen=chosen,
        best_so_far=_thinned(summary.best_so_far),
        created_at=status.created_at,
        ranges=ranges,
        is_weighing=known.pending,
    )


def study_frame(rows: Sequence[StudyRow], *, now: float) -> pd.DataFrame:
    """Return the table as it is drawn; `now` in seconds since the epoch.

    Columns: study, open (button label), state, progress (0 to 1), trials ("1 of 60"), best (three digits),
    chosen ("55", the trial that a person chose; absent while no study has one), best_so_far (list), ranges
    ("Too narrow"; empty while not known), task ("PPO on Pendulum-v1", "from study.db"), age, delete (button
    label, None while it runs; absent on a server that only shows studies).
    """
    absent = ["delete"] if is_read_only() else []
    if all(row.chosen is None for row in rows):
        absent.append("chosen")
    return pd.DataFrame(
        {
            "study": [row.id for row in rows],
            "open": ["Watch" if row.alive else "Open" for row in rows],
            "state": [row.state for row in rows],
            "progress": [_share(row) for row in rows],
            "trials": [_trials(row) for row in rows],
            "best": [three_digits(row.best) if row.best is not None else "" for row in rows],
            "chosen": ["" if row.chosen is None else str(row.chosen) for row in rows],
            "best_so_far": [list(row.best_so_far) for row in rows],
            "ranges": [row.ranges for row in rows],
            "task": [_task(row) for row in rows],
            "age": [age(now - row.created_at).removesuffix(" ago") if row.created_at else "" for row in rows],
            "delete": [None if row.alive else ":material/delete:" for row in rows],
        }
    ).drop(columns=absent)


def draw_study_table(rows: Sequence[StudyRow]) -> None:
    """Draw the table. Opening switches the page; deleting asks first, see `pending_deletion`."""
    column = st.column_config
    shown = [RunFolder(frame.runs_root() / row.id) for row in rows]
    pages = [
        "pages/live.py" if row.alive or row.state == JobState.CREATED else "pages/history.py" for row in rows
    ]
    table = study_frame(rows, now=time.time())
    narrower = CHOSEN_WIDTH // 2 if "chosen" in table else 0  # what two wide columns give to that one
    st.dataframe(
        table,
        key="studies",
        hide_index=True,
        alt="Every study with its state, progress and best value",
        column_config={
            "study": column.TextColumn("Study", width=WIDTHS["study"] - narrower),
            "open": column.ButtonColumn(
                "", width=WIDTHS["open"], on_click=_open, args=(shown, pages), key=OPEN
            ),
            "state": column.TextColumn("State", width=WIDTHS["state"]),
            "progress": column.ProgressColumn(
                "Done",
                min_value=0,
                max_value=1,
                format="\u2060",
                width=WIDTHS["progress"],
                help="Of the budget of trials",
            ),
            "trials": column.TextColumn(
                "Trials", width=WIDTHS["trials"], help="Complete and pruned, of the budget"
            ),
            "best": column.TextColumn(
                "Best", width=WIDTHS["best"], alignment="right", help="Return of the best trial"
            ),
            "chosen": column.TextColumn(
                "Chosen", width=CHOSEN_WIDTH, help="The trial that a person chose after a re-evaluation"
            ),
            "best_so_far": column.LineChartColumn(
                "Trend", width=WIDTHS["best_so_far"], help="The best value after each complete trial"
            ),
            "ranges": column.TextColumn(
                "Ranges",
                width=WIDTHS["ranges"],
                help="The worst verdict on the ranges of the search space; Saturation has the evidence",
            ),
            "task": column.TextColumn(
                "Task", width=WIDTHS["task"] - narrower, help="↳ names the study that this one continues"
            ),
            "age": column.TextColumn("Age", width=WIDTHS["age"]),
            "delete": column.ButtonColumn(
                "",
                width=WIDTHS["delete"],
                type="tertiary",
                on_click=_ask_to_delete,
                args=(shown,),
                key=DELETE,
            ),
        },
    )


def pending_deletion() -> RunFolder | None:
    """Return the study whose delete button was pressed last, once."""
    pending: RunFolder | None = st.session_state.pop("pending-deletion", None)
    return pending


def _open(shown: list[RunFolder], pages: list[str]) -> None:
    click = st.session_state[OPEN]
    if click:
        frame.go(pages[click.row], shown[click.row])


def _ask_to_delete(shown: list[RunFolder]) -> None:
    click = st.session_state[DELETE]
    if click:
        st.session_state["pending-deletion"] = shown[click.row]
        st.rerun()  # the whole page: a dialog inside the ticking table would close with its next tick


def _trials(row: StudyRow) -> str:
    if row.total:
        return f"{row.done} of {row.total}"
    return "" if row.done is None else str(row.done)


def _task(row: StudyRow) -> str:
    if row.environment:
        task = f"{row.algorithm} on {row.environment}"
        return f"↳ {row.continues}: {task}" if row.continues else task
    return f"from {Path(row.file).name}" if row.file else ""


def _share(row: StudyRow) -> float | None:
    if row.done is None or not row.total:
        return None
    return min(1.0, round(row.done / row.total, 2))


def _thinned(values: Sequence[float], n: int = 120) -> tuple[float, ...]:
    """Return at most about `n` values, the last one included: a sparkline shows no more."""
    step = max(1, len(values) // n)
    return tuple(values[::step]) + (tuple(values[-1:]) if step > 1 else ())

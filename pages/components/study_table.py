"""The table of all studies: one row each, with buttons to open, describe and delete it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import streamlit as st

from pages.components import cached, frame, weighing
from storage.paths import RunFolder
from storage.remarks import Remarks, read_remarks
from storage.source import read_source
from storage.winner import read_winner
from tuning import jobs, queue
from tuning.access import is_read_only
from tuning.analysis import verdict_words
from tuning.analysis.look import age, three_digits
from tuning.combinations import planned_trials
from tuning.jobs import JobState
from tuning.lineage import parent_of

OPEN, ABOUT, DELETE = "open-study", "about-study", "delete-study"  # keys of the button columns
UNREADABLE = "unreadable"
_PENDING = {ABOUT: "pending-about", DELETE: "pending-deletion"}  # session: the study of the last press

# Columns in their order, in px; together they fit a window of 1280.
WIDTHS = {
    "study": 148,
    "open": 58,
    "state": 82,
    "progress": 52,
    "trials": 76,
    "best": 54,
    "best_so_far": 52,
    "ranges": 88,
    "task": 112,
    "age": 58,
    "about": 40,
    "delete": 40,
}
CHOSEN_WIDTH = 54  # px; of a column that is only there once a study has a chosen trial
TAGS_WIDTH = 78  # px; of a column that is only there once a study has a tag; progress then goes without a bar


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
    position: int | None = None  # in the queue; None when it does not wait
    ranges: str = ""  # the worst verdict on its ranges; empty while it is not known
    is_weighing: bool = False  # a thread works that verdict out
    name: str = ""  # that it was given later; empty: it goes by its id
    tags: tuple[str, ...] = ()
    note: str = ""
    archived: bool = False
    maximize: bool = True

    @property
    def alive(self) -> bool:
        """Whether it runs now."""
        return self.state in (JobState.RUNNING, JobState.STOPPING)

    @property
    def moves(self) -> bool:
        """Whether it runs or waits for its turn."""
        return self.alive or self.state == JobState.QUEUED

    @property
    def label(self) -> str:
        """What people call it."""
        return self.name or self.id


def study_row(folder: RunFolder) -> StudyRow:
    """Read one study for the table; one that cannot be read gets a row that says so."""
    try:
        remarks = read_remarks(folder)
        status = jobs.job_status(folder)
        spec, summary = cached.spec(folder), cached.summary(folder)
        source = read_source(folder)
    except cached.UNREADABLE:
        return StudyRow(folder.id, UNREADABLE, **_said(remarks))
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
            **_said(remarks),
        )
    return StudyRow(
        id=folder.id,
        state=status.state.value,
        environment=spec.env.id,
        algorithm=spec.algorithm,
        continues=parent.id if (parent := parent_of(folder)) else None,
        done=summary.n_counted,
        total=planned_trials(spec),
        position=_position(folder) if status.state == JobState.QUEUED else None,
        best=summary.best_value,
        chosen=chosen,
        best_so_far=_thinned(summary.best_so_far),
        created_at=status.created_at,
        ranges=ranges,
        is_weighing=known.pending,
        maximize=spec.maximize,
        **_said(remarks),
    )


def study_frame(
    rows: Sequence[StudyRow], *, now: float, labels: Mapping[str, str] = MappingProxyType({})
) -> pd.DataFrame:
    """Return the table as it is drawn; `now` in seconds since the epoch. `labels` tells equal names apart.

    Columns: study, open (button label), state, progress (0 to 1), trials ("1 of 60"), best (three digits),
    chosen ("55", the trial that a person chose; absent while no study has one), best_so_far (list), ranges
    ("Too narrow"; empty while not known), task ("PPO on Pendulum-v1", "from study.db"), age, delete (button
    label, None while it runs; absent on a server that only shows studies).
    """
    absent = ["about", "delete"] if is_read_only() else []
    absent.append("progress" if any(row.tags for row in rows) else "tags")
    if all(row.chosen is None for row in rows):
        absent.append("chosen")
    return pd.DataFrame(
        {
            "study": [labels.get(row.id, row.label) for row in rows],
            "open": ["Watch" if row.moves else "Open" for row in rows],
            "state": [_state(row) for row in rows],
            "progress": [_share(row) for row in rows],
            "trials": [_trials(row) for row in rows],
            "best": [three_digits(row.best) if row.best is not None else "" for row in rows],
            "chosen": ["" if row.chosen is None else str(row.chosen) for row in rows],
            "best_so_far": [list(row.best_so_far) for row in rows],
            "ranges": [row.ranges for row in rows],
            "task": [_task(row) for row in rows],
            "tags": [list(row.tags) for row in rows],
            "age": [age(now - row.created_at).removesuffix(" ago") if row.created_at else "" for row in rows],
            "about": [":material/sticky_note_2:" if row.note else ":material/edit_note:" for row in rows],
            "delete": [None if row.alive else ":material/delete:" for row in rows],
        }
    ).drop(columns=absent)


def draw_study_table(rows: Sequence[StudyRow], labels: Mapping[str, str]) -> None:
    """Draw the table. Opening switches the page; the other buttons ask for a dialog, see `pending`."""
    column = st.column_config
    shown = [RunFolder(frame.runs_root() / row.id) for row in rows]
    pages = [
        "pages/live.py" if row.moves or row.state == JobState.CREATED else "pages/history.py" for row in rows
    ]
    table = study_frame(rows, now=time.time(), labels=labels)
    narrower = CHOSEN_WIDTH // 2 if "chosen" in table else 0  # what two wide columns give to that one
    tags = TAGS_WIDTH - WIDTHS["progress"] if "tags" in table else 0  # what the task gives to that one
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
            "state": column.TextColumn(
                "State", width=WIDTHS["state"], help="A queued study has its place in the queue beside it"
            ),
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
                "Task",
                width=WIDTHS["task"] - narrower - tags,
                help="↳ names the study that this one continues",
            ),
            "tags": column.ListColumn("Tags", width=TAGS_WIDTH),
            "age": column.TextColumn("Age", width=WIDTHS["age"]),
            "about": column.ButtonColumn(
                "",
                width=WIDTHS["about"],
                type="tertiary",
                on_click=_ask,
                args=(ABOUT, shown),
                key=ABOUT,
                help="Name, tags and note; duplicate or archive the study",
            ),
            "delete": column.ButtonColumn(
                "",
                width=WIDTHS["delete"],
                type="tertiary",
                on_click=_ask,
                args=(DELETE, shown),
                key=DELETE,
            ),
        },
    )


def pending(button: str) -> RunFolder | None:
    """Return the study whose button (`ABOUT` or `DELETE`) was pressed last, once."""
    found: RunFolder | None = st.session_state.pop(_PENDING[button], None)
    return found


def _open(shown: list[RunFolder], pages: list[str]) -> None:
    click = st.session_state[OPEN]
    if click:
        frame.go(pages[click.row], shown[click.row])


def _ask(button: str, shown: list[RunFolder]) -> None:
    click = st.session_state[button]
    if click:
        st.session_state[_PENDING[button]] = shown[click.row]
        st.rerun()  # the whole page: a dialog inside the ticking table would close with its next tick


def _said(remarks: Remarks) -> dict[str, Any]:
    return {name: getattr(remarks, name) for name in ("name", "tags", "note", "archived")}


def _state(row: StudyRow) -> str:
    return row.state if row.position is None else f"{row.state} {row.position}"


def _position(folder: RunFolder) -> int | None:
    waiting = queue.queued(folder.path.parent)
    return 1 + waiting.index(folder) if folder in waiting else None


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

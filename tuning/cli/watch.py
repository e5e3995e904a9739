"""Wait for a study, with a progress line on stderr."""

import shutil
import sys
import time
from datetime import datetime

import typer

from storage.journal import STUDY_NAME, open_journal
from storage.live import read_heartbeats
from storage.paths import RunFolder
from storage.trials import read_study
from tuning import queue
from tuning.analysis.summary import study_summary
from tuning.cli import output
from tuning.cli.exits import Exit, outcome
from tuning.cli.overview import progress_line
from tuning.jobs import JobState, JobStatus, job_status
from tuning.progress import study_progress
from tuning.queue_words import queued_sentence
from tuning.spec import stored_spec

POLL_S = 0.5
LINE_EVERY_S = 10.0  # where stderr is no terminal and every line stays


def wait_for_end(folder: RunFolder) -> Exit:
    """Wait until the study neither runs nor is queued, tell how it ended, and return the exit code.

    Ctrl-C leaves the study running.
    """
    line = ProgressLine()
    try:
        status = _watch(folder, line)
    except KeyboardInterrupt:
        line.end()
        stays = "stays queued" if folder.ticket.exists() else "keeps running"
        output.note(
            f"{folder.id} {stays}. `python -m tuning status {folder.id}` shows how it is doing, "
            f"`python -m tuning stop {folder.id}` stops it."
        )
        return Exit.INTERRUPTED
    line.end()
    spec = stored_spec(folder)
    reason = f": {status.reason}" if status.reason else ""
    output.note(f"{folder.id} is {status.state.value}{reason}")
    timed_out = spec.budget.timeout_s is not None and "time budget" in status.reason
    return outcome(status, timed_out=timed_out)


def _watch(folder: RunFolder, line: "ProgressLine") -> JobStatus:
    storage = open_journal(folder.journal)  # kept open: later reads take only what is new
    while True:
        status = job_status(folder)  # before the trials, so that the last line shows all of them
        beats = read_heartbeats(folder) if status.state.alive else []
        study = read_study(storage, STUDY_NAME)
        progress = study_progress(stored_spec(folder), study.trials, beats, now=datetime.now())
        summary = study_summary(study.trials, maximize=study.maximize)
        text = progress_line(progress, summary)
        if status.state == JobState.QUEUED:
            queue.take_up(folder.path.parent)
            place = queue.place(folder)
            text = queued_sentence(place) if place else text
        line.show(text, last=not status.state.moves)
        if not status.state.moves:
            return status
        time.sleep(POLL_S)


class ProgressLine:
    """One line that is redrawn on a terminal, and repeated now and then elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._width = 0
        self._next = time.monotonic() + LINE_EVERY_S
        self._open = False

    def show(self, text: str, *, last: bool) -> None:
        """Show the newest state; the last one is always shown."""
        text = output.plain(text)
        if self._terminal:
            text = text[: shutil.get_terminal_size().columns - 1]  # a wrapped line cannot be redrawn
            typer.echo("\r" + text.ljust(self._width), nl=False, err=True)
            self._width, self._open = len(text), True
        elif last or time.monotonic() >= self._next:
            typer.echo(text, err=True)
            self._next = time.monotonic() + LINE_EVERY_S

    def end(self) -> None:
        """Leave the line as it is and go on below it."""
        if self._open:
            typer.echo("", err=True)
            self._open = False

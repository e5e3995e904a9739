"""What the exit codes mean, and which one an expected error gets."""

from enum import IntEnum

from storage.foreign import NoSuchStudy
from storage.journal import JournalDamaged, JournalMissing
from storage.paths import UnknownRun
from storage.source import SourceUnreadable
from tuning.access import ReadOnly
from tuning.candidates import NothingToReevaluate, ReevaluationError
from tuning.environments import EnvironmentsError
from tuning.export import ExportError
from tuning.export_choice import NothingToExport, UnknownTrial
from tuning.jobs import AlreadyRunning, JobState, JobStatus, StartFailed
from tuning.launch import Busy
from tuning.probe_values import NothingToProbe, ProbeError
from tuning.retraining_plan import PlanError
from tuning.spec import SpecError


class Exit(IntEnum):
    """The exit codes of `python -m tuning`."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    CONFLICT = 3
    NO_STUDY = 4
    NOTHING_YET = 5
    INTERRUPTED = 130  # Ctrl-C, as shells count it: 128 and the signal's number


EXIT_CODES = (
    "Exit codes: 0 done; 1 the command failed, or a study waited for failed, was stopped or was interrupted; "
    "2 bad input, each fault on a line of its own; 3 conflict with a running study; 4 no such study; "
    "5 nothing to show yet: no trial is complete, or, for widen, too few to suggest a range; "
    "130 Ctrl-C while waiting, the study keeps running."
)


class Refused(Exception):
    """A command cannot do what it was asked; carries the exit code and the sentence for the person."""

    def __init__(self, code: Exit, message: str) -> None:
        self.code = code
        super().__init__(message)


_CODES: tuple[tuple[type[Exception], Exit], ...] = (
    (ReadOnly, Exit.BAD_INPUT),  # before OSError, of which it is a kind
    (SpecError, Exit.BAD_INPUT),
    (EnvironmentsError, Exit.BAD_INPUT),
    (NothingToProbe, Exit.NOTHING_YET),
    (ProbeError, Exit.BAD_INPUT),
    (NothingToReevaluate, Exit.NOTHING_YET),
    (ReevaluationError, Exit.BAD_INPUT),
    (AlreadyRunning, Exit.CONFLICT),
    (Busy, Exit.CONFLICT),
    (UnknownRun, Exit.NO_STUDY),
    (NoSuchStudy, Exit.NO_STUDY),
    (SourceUnreadable, Exit.FAILED),
    (StartFailed, Exit.FAILED),
    (NothingToExport, Exit.NOTHING_YET),
    (UnknownTrial, Exit.BAD_INPUT),
    (ExportError, Exit.FAILED),
    (PlanError, Exit.FAILED),
    (JournalMissing, Exit.FAILED),
    (JournalDamaged, Exit.FAILED),
    (OSError, Exit.FAILED),
)
EXPECTED: tuple[type[Exception], ...] = (Refused, *(kind for kind, _ in _CODES))


def code_of(error: Exception) -> Exit:
    """Return the exit code of an expected error."""
    if isinstance(error, Refused):
        return error.code
    return next(code for kind, code in _CODES if isinstance(error, kind))


def faults_of(error: Exception) -> list[str]:
    """Return the sentences of an expected error, one for each fault."""
    if isinstance(error, SpecError):
        return error.faults
    if isinstance(error, OSError) and error.strerror:
        return [f"{error.filename or 'A file'}: {error.strerror}."]
    return [str(error)]


def outcome(status: JobStatus, *, timed_out: bool) -> Exit:
    """Return the exit code for a study that was waited for; a used-up time budget is an end as planned."""
    if status.state == JobState.FINISHED or (status.state == JobState.STOPPED and timed_out):
        return Exit.DONE
    return Exit.FAILED

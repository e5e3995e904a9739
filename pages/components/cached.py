"""Everything that pages keep between reruns, keyed on what changes on disk. All values are read-only."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial

from pages.components.background import Background
from storage import sqlite_file
from storage.candidates import find_candidates
from storage.foreign import NoSuchStudy, StudyListing, StudyStorage, open_source
from storage.journal import STUDY_NAME, JournalDamaged, JournalMissing, open_journal
from storage.locks import is_held
from storage.paths import RunFolder, list_runs
from storage.roots import check_allowed
from storage.source import Source, SourceUnreadable, is_opened, read_source
from storage.trials import StudyData, read_study
from tuning import env_child, env_survey, jobs, launch
from tuning.analysis.summary import StudySummary, study_summary
from tuning.env_description import EnvDescription
from tuning.environments import EnvInfo
from tuning.evaluation_noise import EpisodeNoise, known_noise, measured_noise
from tuning.spec import SpecError, StudySpec, stored_spec
from tuning.spec_parts import EnvSpec

if TYPE_CHECKING:
    from tuning.analysis.importance import ImportanceInfo
    from tuning.analysis.learning_bands import LearningBands
    from tuning.analysis.reevaluation_result import CandidateResult, ReevaluationInfo
    from tuning.reevaluation_jobs import ReevaluationJob

# What `run`, `spec` and `summary` may raise
UNREADABLE = (SpecError, JournalMissing, JournalDamaged, SourceUnreadable, NoSuchStudy, OSError)

NOISE_STUDIES = 5  # of an environment, the newest, that tell how returns scatter there
Stamp = tuple[int, ...]


def stamp(path: Path) -> Stamp:
    """Return what tells two versions of a file apart: (inode, size, mtime_ns); zeros when it is absent."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return (0, 0, 0)
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns)


def version(folder: RunFolder) -> tuple[str, Stamp, Stamp]:
    """Return a key for whatever is computed from a study's trials and spec."""
    try:
        source = _source(folder)
    except UNREADABLE:  # who reads the trials is told why
        return (str(folder.path), (0, 0, 0), stamp(folder.source))
    if source is not None:
        return (str(folder.path), _source_stamp(source), stamp(folder.source))
    return (str(folder.path), stamp(folder.journal), stamp(folder.spec))


def run(folder: RunFolder) -> launch.Run:
    """Return the study as its files show it now; only the journal's new lines are read.

    Raises:
        SpecError, JournalMissing, JournalDamaged, OSError: see `UNREADABLE`.
    """
    return launch.Run(folder, spec(folder), jobs.job_status(folder), _trials(folder), _source(folder))


def spec(folder: RunFolder) -> StudySpec | None:
    """Return the study's request, or None for a study that is not ours.

    Raises:
        SpecError: it is absent, unreadable or invalid.
    """
    if is_opened(folder):
        return None
    return _spec(str(folder.path), stamp(folder.spec))


def summary(folder: RunFolder) -> StudySummary:
    """Return the study in a few numbers; the journal is opened only when it has changed.

    Raises:
        SpecError, JournalMissing, JournalDamaged, OSError: see `UNREADABLE`.
    """
    return _summary(*version(folder))


@st.cache_data(max_entries=64, ttl=60, show_spinner=False)
def episode_noise(env_id: str, root: Path) -> EpisodeNoise | None:
    """Return how the returns of good policies scatter in an environment, as of at most a minute ago.

    The newest studies of it tell, else what others have published.
    """
    studies = []
    for folder in list_runs(root):
        try:
            request = spec(folder)
            if request is not None and request.env.id == env_id:
                study = _trials(folder)
                studies.append((study.trials, study.maximize))
        except UNREADABLE:
            continue
        if len(studies) == NOISE_STUDIES:
            break
    return measured_noise(studies) or known_noise(env_id)


def tidy(folder: RunFolder) -> None:
    """Fail and queue again what a dead runner left running, if there is anything; never raises."""
    try:
        if not is_opened(folder) and not is_held(folder.lock) and summary(folder).n_running:
            launch.tidy(folder)
    except UNREADABLE:
        return  # the page that shows the study says so


@st.cache_data(max_entries=1, show_spinner="Listing the environments")
def catalogue() -> list[EnvInfo]:
    """Return the environments that can be chosen; asked from a child process once.

    Raises:
        EnvironmentsError: a package of the server's owner cannot be used.
    """
    return env_child.catalogue_from_child()


@st.cache_resource(max_entries=2, show_spinner=False)
def survey(ids: tuple[str, ...]) -> env_survey.Survey:
    """Return what each of these environments is like, as far as children have found out."""
    return env_survey.Survey(ids)


@st.cache_resource(show_spinner=False)
def pictures() -> Background:
    """Return the thread that has environments drawn, and their pictures."""
    return Background(most=64)


@st.cache_data(max_entries=64, show_spinner="Looking at the environment")
def environment(env_json: str) -> EnvDescription:
    """Return what an agent sees and does in an `EnvSpec`, given as JSON; asked from a child process.

    Raises:
        EnvironmentsError: it cannot be made.
    """
    return env_child.describe_from_child(EnvSpec.model_validate_json(env_json))


@st.cache_data(max_entries=256, show_spinner=False)
def _spec(path: str, key: Stamp) -> StudySpec:
    return stored_spec(RunFolder(Path(path)))


@st.cache_data(max_entries=256, show_spinner=False)
def _summary(path: str, journal: Stamp, spec: Stamp) -> StudySummary:
    study = _trials(RunFolder(Path(path)))
    return study_summary(study.trials, maximize=study.maximize)


@st.cache_resource(max_entries=32, show_spinner="Reading the study")
def _storage(path: str, inode: int) -> BaseStorage:
    return open_journal(Path(path))


def _source(folder: RunFolder) -> Source | None:
    """Return where the trials of a study that is not ours lie, if pages may go there.

    Raises:
        SourceUnreadable, NotAllowed: the record is damaged, or names a file outside the roots.
    """
    source = read_source(folder)
    return None if source is None else replace(source, path=check_allowed(source.path))


def _source_stamp(source: Source) -> Stamp:
    files = sqlite_file.files_of(source.path) if source.kind == "sqlite" else (source.path,)
    return tuple(number for path in files for number in stamp(path))


@st.cache_resource(max_entries=32, show_spinner="Reading the study")
def _source_storage(path: str, inode: int) -> StudyStorage:
    return open_source(Path(path))


@st.cache_resource(max_entries=32, show_spinner="Reading the study")
def _source_study(path: str, study: str, key: Stamp) -> StudyData:
    try:
        return _source_storage(path, key[0]).study(study)
    except SourceUnreadable:
        _source_storage.clear(path, key[0])  # its owner may have rewritten or restored it
        return _source_storage(path, key[0]).study(study)


@st.cache_data(max_entries=4, ttl=60, show_spinner=False)
def candidates(roots: tuple[Path, ...], runs: Path) -> list[Path]:
    """Return study files under these folders, as of at most a minute ago; `runs` holds our own studies."""
    return find_candidates(roots, skip=(runs,))


def studies_in(path: Path) -> tuple[StudyListing, ...]:
    """Return the studies in a file.

    Raises:
        SourceUnreadable: it is no study file, or cannot be read.
    """
    return _studies_in(
        str(path), tuple(number for file in sqlite_file.files_of(path) for number in stamp(file))
    )


@st.cache_data(max_entries=16, show_spinner="Looking into the file")
def _studies_in(path: str, key: Stamp) -> tuple[StudyListing, ...]:
    return open_source(Path(path)).studies()


def _trials(folder: RunFolder) -> StudyData:
    source = _source(folder)
    if source is not None:
        return _source_study(str(source.path), source.study, _source_stamp(source))
    key = (str(folder.journal), stamp(folder.journal)[0])
    storage = _storage(*key)
    try:
        return read_study(storage, STUDY_NAME)
    except KeyError as error:
        _storage.clear(*key)
        raise JournalDamaged(f"The journal {folder.journal} no longer holds the study.") from error
    except JournalDamaged:
        _storage.clear(*key)  # opened anew once the file has been restored
        raise
    except (AssertionError, TypeError, AttributeError, ValueError) as error:
        _storage.clear(*key)
        raise JournalDamaged(
            f"The journal {folder.journal} holds an operation that Optuna does not know."
        ) from error


def importance(run: launch.Run) -> "ImportanceInfo":
    """Return the parameters' importance; computed anew only when another trial has ended."""
    ended = tuple(t for t in run.study.trials if t.state.is_finished())
    path, journal, _ = version(run.folder)
    return _importance(path, journal[0], len(ended), ended, maximize=run.study.maximize)


@st.cache_data(max_entries=64, show_spinner="Weighing the parameters")
def _importance(
    path: str, inode: int, n_ended: int, _ended: tuple[FrozenTrial, ...], *, maximize: bool
) -> "ImportanceInfo":
    from tuning.analysis.importance import importance_info  # with Plotly, which the first page does without

    return importance_info(_ended, maximize=maximize)


def reevaluation(job: "ReevaluationJob") -> "ReevaluationInfo":
    """Return what a re-evaluation has found; computed anew only when another run has ended."""
    return _reevaluation(*_reevaluation_key(job), job)


@st.cache_data(max_entries=64, show_spinner="Comparing the candidates")
def _reevaluation(
    path: str, inode: int, n_seeds: int, n_results: int, _job: "ReevaluationJob"
) -> "ReevaluationInfo":
    from tuning.analysis.reevaluation import reevaluation_info  # with SciPy

    return reevaluation_info(_job.question, _job.results)


def learning_bands(job: "ReevaluationJob", shown: "tuple[CandidateResult, ...]") -> "LearningBands":
    """Return the learning curves of these candidates, over the runs of a re-evaluation that have ended."""
    keys = tuple(result.candidate.key for result in shown)
    return _learning_bands(*_reevaluation_key(job), keys, job)


@st.cache_data(max_entries=32, show_spinner="Reading the learning curves")
def _learning_bands(
    path: str, inode: int, n_seeds: int, n_results: int, keys: tuple[str, ...], _job: "ReevaluationJob"
) -> "LearningBands":
    from tuning.analysis.learning_bands import candidate_bands  # with Plotly

    return candidate_bands(_job.folder, _job.question, _job.plan, _job.results, keys)


def _reevaluation_key(job: "ReevaluationJob") -> tuple[str, int, int, int]:
    """Results only grow, and only another number of seeds changes the question."""
    return str(job.folder.path), stamp(job.folder.job)[0], job.question.n_seeds, len(job.results)


@st.cache_resource(show_spinner=False)
def background() -> Background:
    """Return the thread that weighs evidence for every page, and what it has found."""
    return Background()

"""The re-evaluation of a study as a report shows it: which one, what was done, each candidate in words."""

from dataclasses import dataclass

from tuning.analysis.reevaluation import reevaluation_info
from tuning.analysis.reevaluation_result import CandidateResult, ReevaluationInfo
from tuning.analysis.reevaluation_table import verdict_word
from tuning.analysis.words import count, three_digits, whole
from tuning.budget_words import run_words
from tuning.launch import Run
from tuning.reevaluation_choice import ranked_reevaluations
from tuning.reevaluation_jobs import ReevaluationJob
from tuning.report_plots import Plot, reevaluation_plots
from tuning.retraining_plan import runs_trained_by


@dataclass(frozen=True)
class CandidateRow:
    """One candidate of the re-evaluation in words."""

    name: str
    is_winner: bool
    verdict: str
    runs: str
    mean: str
    interval: str
    worst: str
    p_best: str
    beats: str
    p_value: str
    searched: str


@dataclass
class Reevaluated:
    """What training again, or playing more episodes, found."""

    info: ReevaluationInfo
    about: str  # what was done, as a sentence
    rows: list[CandidateRow]
    plots: list[Plot]
    n_others: int  # re-evaluations of the study that are not shown


def reevaluated(run: Run) -> Reevaluated | None:
    """Return the re-evaluation that is believed most, judged; None where there is none with a result."""
    jobs = ranked_reevaluations(run.folder)
    if not jobs:
        return None
    job = jobs[0]
    info = reevaluation_info(job.question, job.results)
    rows = [_candidate_row(info, c) for c in info.candidates]
    return Reevaluated(info, _about(job, info), rows, reevaluation_plots(info), len(jobs) - 1)


def _about(job: ReevaluationJob, info: ReevaluationInfo) -> str:
    q = job.question
    who = count(len(q.candidates), "candidate")
    if q.mode == "weights":
        return (
            f"{who} as the search trained them, each judged by {count(q.n_episodes, 'new episode')}. This "
            "judges trained agents, not the configurations that trained them."
        )
    budget = ""
    if q.n_timesteps != q.study_timesteps:
        budget = f" ({q.n_timesteps / q.study_timesteps:g} times that of the study)"
    saved = f" Racing did without {count(info.n_saved, 'run')}." if info.n_saved else ""
    trained = runs_trained_by(job.results)
    by = f" Trained by {trained}." if trained else ""
    return (
        f"{who}, trained again from scratch on up to {count(q.n_seeds, 'fresh seed')}, "
        f"{run_words(q)} a run{budget}; each run is judged by "
        f"{count(q.n_episodes, 'episode')}. "
        f"{whole(info.n_done)} of {count(info.n_runs - info.n_saved, 'run')} are done.{saved}{by}"
    )


def _candidate_row(info: ReevaluationInfo, c: CandidateResult) -> CandidateRow:
    verdict = verdict_word(info, c)
    interval = c.iqm_interval if c.shown == "IQM" else c.mean_interval
    value = c.iqm if c.shown == "IQM" else c.mean
    return CandidateRow(
        name=c.candidate.name,
        is_winner=info.winner is not None and c.candidate.key == info.winner.candidate.key,
        verdict=verdict,
        runs=whole(c.n_runs) + (f" (+ {c.n_broken} broken)" if c.n_broken else ""),
        mean="" if value is None else f"{three_digits(value)} ({c.shown})",
        interval="" if interval is None else f"{three_digits(interval.low)} to {three_digits(interval.high)}",
        worst="" if c.worst is None else three_digits(c.worst),
        p_best=_percent(c.p_best),
        beats=_percent(c.p_improvement),
        p_value="" if c.p_value is None else three_digits(c.p_value),
        searched="" if c.candidate.search_value is None else three_digits(c.candidate.search_value),
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"

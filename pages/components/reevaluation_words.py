"""What the Re-evaluation page says in words: captions, and what a mode can and cannot tell."""

from pages.components import frame
from tuning.analysis.look import count, duration
from tuning.analysis.reevaluation_result import ReevaluationInfo
from tuning.analysis.reevaluation_words import winner_word
from tuning.reevaluation_jobs import ReevaluationJob

WHAT_IT_IS = (
    "A search reports the best of many noisy numbers, so its winner's number is too good. A re-evaluation "
    "trains the best configurations again with seeds that they never had, beside the defaults, and shows "
    "which of them are really better."
)
THIS_AGENT = "This judges each trained agent as it is, not the configuration that trained it."


def answer_and_rest(recommendation: str) -> tuple[str, str]:
    """Split a recommendation into its answer (what to use, what to expect of it) and what it says beyond."""
    sentences = recommendation.split(". ")
    n = 2 if len(sentences) > 1 and sentences[1].startswith("Expect ") else 1
    if len(sentences) <= n:
        return recommendation, ""
    return ". ".join(sentences[:n]) + ".", ". ".join(sentences[n:])


def dots_caption(info: ReevaluationInfo) -> str:
    """Return how to read the plot of all runs."""
    one = "run" if info.question.mode == "retrain" else "episode"
    tied = " Rows on a shaded ground cannot be told from the best." if len(info.tied) > 1 else ""
    by_mean = ", judged by its mean" if any(c.shown == "IQM" for c in info.tied) else ""
    return (
        f"Each dot is one {one}. The larger mark above the dots is their mean, from 10 {one}s on the mean of "
        f"their middle half (IQM), with its 95 % interval; the star is what is {winner_word(info)}{by_mean}. "
        f"The open triangle is what the search measured, once.{tied} Arrows at the border lie further out."
    )


def racing_words(job: ReevaluationJob, info: ReevaluationInfo) -> str:
    """Return what racing gave up and what that saved, as Markdown; empty where it gave up nothing."""
    given_up = [c for c in info.candidates if c.dropped_after is not None]
    if not given_up or not info.n_saved:
        return ""
    parts = [
        f"{frame.escape(c.candidate.name)} after {count(c.dropped_after or 0, 'seed')}" for c in given_up
    ]
    were = "was" if info.n_saved == 1 else "were"
    saved = f"{count(info.n_saved, 'run')} of {info.n_runs} {were} not trained"
    seconds = sum(
        (c.seconds or 0.0) * max(0, info.question.n_seeds - c.n_runs - c.n_broken) for c in given_up
    )
    if seconds:
        saved += f", about {duration(seconds / job.plan.n_workers)} of training"
    return f"**Racing** gave up {', '.join(parts)}: they could not win any more. {saved}."

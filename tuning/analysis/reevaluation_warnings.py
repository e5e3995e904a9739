"""What a re-evaluation's numbers cannot say, as sentences."""

from tuning.analysis.reevaluation_result import CandidateResult, ReevaluationInfo
from tuning.analysis.reevaluation_words import (
    in_sentence,
    lower,
    n_counted,
    names,
    number,
)
from tuning.analysis.run_statistics import is_lopsided
from tuning.analysis.words import count, listed
from tuning.budget_words import run_words

FEW = 5  # runs: with fewer the intervals are no more than a hint
USUAL = 10  # runs: from here on it is no reason to doubt everything else that a collapse may be unseen
FEW_TO_SEE_COLLAPSE = 20  # runs
RARE_COLLAPSE = 0.1  # share of runs that collapse, for the example in a warning


def warnings(info: ReevaluationInfo) -> tuple[str, ...]:
    """Return what to keep in mind, the gravest first."""
    found = [
        _broken(info),
        _died(info),
        _winner_collapsed(info),
        _few(info, 1, USUAL - 1),
        _lopsided(info),
        _estimates_disagree(info),
        _given_up_but_ahead(info),
        _told_apart_though_ahead(info),
        _few(info, USUAL, FEW_TO_SEE_COLLAPSE),
        _one_agent(info),
        _budget(info),
    ]
    return tuple(sentence for sentence in found if sentence)


def _broken(info: ReevaluationInfo) -> str:
    broken = [r for r in info.candidates if r.n_broken]
    if not broken:
        return ""
    each = listed([f"{r.n_broken} of {r.n_broken + r.n_runs} of {in_sentence(r)}" for r in broken])
    counts = (
        ""
        if info.broken_level is None
        else (f" A broken run counts as the worst level seen, {number(info.broken_level)}.")
    )
    return f"Some runs broke (failed or diverged): {each}.{counts}"


def _died(info: ReevaluationInfo) -> str:
    died = [r for r in info.candidates if r.n_died]
    if not died:
        return ""
    each = listed([f"{r.n_died} of {in_sentence(r)}" for r in died])
    return (
        f"Of the broken runs, these were given up because their worker died: {each}. It was killed, or out "
        "of memory, which may say more about the machine than about them. They are tried again when this "
        "re-evaluation is resumed or gets more seeds."
    )


def _winner_collapsed(info: ReevaluationInfo) -> str:
    w = info.winner
    if w is None or not w.collapsed:
        return ""
    ended = w.n_runs + w.n_broken
    return (
        f"{w.candidate.name} collapsed in {round(w.collapsed * ended)} of {count(ended, 'run')}: train it "
        "more than once, and look at what you got before you use it."
    )


def _few(info: ReevaluationInfo, least: int, most: int) -> str:
    """Say what so few runs cannot show, where the least judged candidate has between `least` and `most`."""
    judged = [n_counted(r) for r in info.candidates if n_counted(r) and r.dropped_after is None]
    if info.question.mode == "weights" or not judged or not least <= min(judged) <= most:
        return ""
    n = min(judged)
    unseen = f"a collapse in one run of ten is unseen {(1 - RARE_COLLAPSE) ** n:.0%} of the time".replace(
        "%", " %"
    )
    if n < FEW:
        return f"With {count(n, 'run')} a candidate the intervals are no more than a hint, and {unseen}."
    return f"With {n} runs {unseen}, and then every interval is too narrow."


def _lopsided(info: ReevaluationInfo) -> str:
    """Name whose runs are so skewed that the interval of their mean is too narrow."""
    found = [
        r for r in info.candidates if r.n_runs and r.dropped_after is None and is_lopsided(_counted(info, r))
    ]
    if not found:
        return ""
    unit = "Episodes" if info.question.mode == "weights" else "Runs"
    its = "the interval of the mean" if len(found) == 1 else "the intervals of their means"
    verb = "is" if len(found) == 1 else "are"
    return (
        f"{unit} of {lower(names(found))} are skewed or hold an outlier: {its} {verb} too narrow. "
        "Look at the worst run too."
    )


def _counted(info: ReevaluationInfo, result: CandidateResult) -> list[float]:
    broken = [] if info.broken_level is None else [info.broken_level] * result.n_broken
    return [x for x in result.returns if x is not None] + broken


def _estimates_disagree(info: ReevaluationInfo) -> str:
    judged = [r for r in info.candidates if r.iqm is not None and r.dropped_after is None]
    if len(judged) < 2 or any(r.shown != "IQM" for r in judged) or info.question.mode == "weights":
        return ""
    by_mean = min(judged, key=lambda r: r.rank or 0)
    sign = 1 if info.question.maximize else -1
    by_iqm = max(judged, key=lambda r: (sign * (r.iqm or 0.0), -(r.rank or 0)))
    if by_iqm is by_mean:
        return ""
    return (
        f"The IQM puts {in_sentence(by_iqm)} first ({number(by_iqm.iqm)} against {number(by_mean.iqm)}), "
        f"the mean {in_sentence(by_mean)} ({number(by_mean.mean)} against {number(by_iqm.mean)}). The IQM "
        "leaves out the worst runs; candidates are ranked by the mean, because such runs do happen."
    )


def _given_up_but_ahead(info: ReevaluationInfo) -> str:
    best = next((r for r in info.candidates if r.rank == 1), None)
    if best is None or best.mean is None:
        return ""
    sign = 1 if info.question.maximize else -1
    ahead = [
        r
        for r in info.candidates
        if r.dropped_after and r.mean is not None and sign * (r.mean - best.mean) > 0
    ]
    if not ahead:
        return ""
    return (
        f"{names(ahead)} would be ahead by the mean of fewer runs, but racing gave up on that. The "
        "others did worse in later runs than in their first: re-evaluate again without racing."
    )


def _told_apart_though_ahead(info: ReevaluationInfo) -> str:
    """Say why one with a better mean than a tied one is not tied itself: it varies less."""
    last = max((r.rank or 0 for r in info.tied), default=0)
    apart = [
        r for r in info.candidates if not r.is_tied and r.dropped_after is None and (r.rank or last) < last
    ]
    if not apart:
        return ""
    behind = [r for r in info.tied if (r.rank or 0) > min(r.rank or 0 for r in apart)]
    ahead = "have better means" if len(apart) > 1 or apart[0].candidate.is_baseline else "has a better mean"
    because = "count as tied all the same: their" if len(behind) > 1 else "counts as tied all the same: its"
    return (
        f"{names(apart)} {ahead} than {lower(names(behind))}, which {because} runs spread so far that less "
        "is sure about what to expect."
    )


def _one_agent(info: ReevaluationInfo) -> str:
    if info.question.mode != "weights":
        return ""
    return (
        "One trained agent of each candidate was judged, over its episodes. That says nothing about what "
        "training the configuration again would give."
    )


def _budget(info: ReevaluationInfo) -> str:
    q = info.question
    if q.mode == "weights" or len(q.candidates) < 2:
        return ""
    trained = f"Every run trained for {run_words(q)}"
    as_study = ", as in the study" if q.n_timesteps == q.study_timesteps else ""
    return f"{trained}{as_study}. At another budget the order may differ."

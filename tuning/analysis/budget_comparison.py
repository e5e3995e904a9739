"""Does a ranking carry over: from one training budget to another, and from the search to what was measured?"""

from dataclasses import dataclass

from tuning.analysis import search_agreement
from tuning.analysis.reevaluation_result import CandidateResult, ReevaluationInfo
from tuning.analysis.words import count, whole

CARRIES_OVER = 0.6  # Kendall's tau: at least four of five pairs in the same order
HARDLY = 0.2  # three of five: little better than a coin


@dataclass(frozen=True)
class ComparedCandidate:
    """One candidate in two re-evaluations."""

    name: str
    key: str
    shorter: float  # mean return at the smaller budget
    longer: float
    shorter_rank: int  # among the candidates that are in both; 1 is best
    longer_rank: int


@dataclass(frozen=True)
class BudgetComparison:
    """Two re-evaluations of the same candidates at different budgets."""

    shorter_timesteps: int
    longer_timesteps: int
    candidates: tuple[ComparedCandidate, ...]  # best first, at the larger budget
    rank_correlation: float | None  # Kendall's tau; None below three candidates
    sentence: str  # plain text


def not_comparable(one: ReevaluationInfo, other: ReevaluationInfo) -> str | None:
    """Return why two re-evaluations say nothing about budgets, or None."""
    if "weights" in (one.question.mode, other.question.mode):
        return "Only re-evaluations that train again have a budget."
    if one.question.maximize != other.question.maximize:
        return "One of the two maximises and the other minimises, so their ranks cannot be compared."
    if one.question.n_timesteps == other.question.n_timesteps:
        return f"Both trained for {whole(one.question.n_timesteps)} steps. Re-evaluate with more of them."
    if len(_in_both(one, other)) < 2:
        return "Fewer than two candidates have runs in both. Re-evaluate the same candidates."
    return None


def budget_comparison(one: ReevaluationInfo, other: ReevaluationInfo) -> BudgetComparison:
    """Compare the ranks of the candidates that are in both; call `not_comparable` first."""
    short, long = sorted((one, other), key=lambda info: info.question.n_timesteps)
    pairs = _in_both(short, long)
    maximize = short.question.maximize
    before = {key: a.mean for key, (a, _) in pairs.items() if a.mean is not None}
    after = {key: b.mean for key, (_, b) in pairs.items() if b.mean is not None}
    ranks_before = search_agreement.ranks(before, maximize=maximize)
    ranks_after = search_agreement.ranks(after, maximize=maximize)
    compared = [
        ComparedCandidate(b.candidate.name, key, before[key], after[key], ranks_before[key], ranks_after[key])
        for key, (_, b) in pairs.items()
    ]
    compared.sort(key=lambda c: (c.longer_rank, c.shorter_rank, c.key))
    tau = search_agreement.rank_correlation([c.shorter for c in compared], [c.longer for c in compared])
    return BudgetComparison(
        short.question.n_timesteps,
        long.question.n_timesteps,
        tuple(compared),
        tau,
        _sentence(short.question.n_timesteps, long.question.n_timesteps, compared, tau),
    )


def search_worth(info: ReevaluationInfo) -> str:
    """Return what the search's own ranking of the candidates was worth; nothing where that cannot be said."""
    searched = [r for r in info.candidates if r.search_rank is not None and r.rank is not None]
    tau = info.rank_correlation
    if tau is None or len(searched) < search_agreement.FEWEST:
        return ""
    agree = f"{_agreeing(tau, len(searched))} (Kendall's tau {tau:.2f})"
    first = min(searched, key=lambda r: (r.search_rank or 0, r.candidate.key))
    place = sorted(r.rank or 0 for r in searched).index(first.rank or 0) + 1
    best = f"its best, {first.candidate.name[:1].lower()}{first.candidate.name[1:]}, is now number {place}"
    if tau >= CARRIES_OVER:
        return f"The search ranked these candidates about right: {agree}; {best} of {len(searched)}."
    if tau >= HARDLY:
        return f"The search's ranking of these candidates was a hint: {agree}; {best} of {len(searched)}."
    return (
        f"The search's ranking of these candidates was worth nothing: {agree}; {best} of {len(searched)}. "
        "Among the best of many noisy values, luck decides the order."
    )


def _in_both(
    one: ReevaluationInfo, other: ReevaluationInfo
) -> dict[str, tuple[CandidateResult, CandidateResult]]:
    """Return those with a mean in both, whose configuration is the same."""
    theirs = {r.candidate.key: r for r in other.candidates if r.mean is not None}
    return {
        r.candidate.key: (r, theirs[r.candidate.key])
        for r in one.candidates
        if r.mean is not None
        and r.candidate.key in theirs
        and r.candidate.resolved == theirs[r.candidate.key].candidate.resolved
    }


def _agreeing(tau: float, n: int) -> str:
    pairs = n * (n - 1) // 2
    return f"{round((1 + tau) / 2 * pairs)} of {count(pairs, 'pair')} are in the same order"


def _sentence(short: int, long: int, compared: list[ComparedCandidate], tau: float | None) -> str:
    budgets = f"{whole(short)} and {whole(long)} steps"
    best_before = min(compared, key=lambda c: (c.shorter_rank, c.key))
    best_after = compared[0]
    same = (
        f"{best_after.name} is best at both"
        if best_before.key == best_after.key
        else f"{best_before.name} is best at {whole(short)}, {best_after.name} at {whole(long)}"
    )
    if tau is None:
        return f"Between {budgets}: {same}. Two candidates are too few to compare rankings."
    agree = f"{_agreeing(tau, len(compared))} (Kendall's tau {tau:.2f})"
    if tau >= CARRIES_OVER:
        return f"The ranking carries over between {budgets}: {agree}, and {same}."
    if tau >= HARDLY:
        return f"The ranking carries over in part between {budgets}: {agree}; {same}."
    return f"The ranking does not carry over between {budgets}: {agree}; {same}."

"""Is longer training enough? What the runs of a budget check come to, and a plain answer."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, median, stdev

from tuning.analysis.words import count, listed, three_digits, whole
from tuning.budget_check import FACTORS, N_SEEDS, BudgetCheck, times
from tuning.retraining_plan import RunResult

# A gain below this share of the largest return in play (the check's own levels, and the one that counts as
# solved) is not worth four times the steps. With three seeds nothing finer can be told apart either.
WORTH = 0.1
FEW_STEPS = 10_000  # fewer tell nothing about the defaults: hardly any task is learned in so few
_FEWEST_SEEDS = 2  # that have a value for both ends
_BROKEN = 0.5  # share of the runs of one budget, from which the answer is about those that broke


class Answer(StrEnum):
    """What the check comes to."""

    NOT_YET = "not yet"
    SOLVED = "solved"  # the defaults are good enough as they are
    LONGER = "longer"  # training longer is the cheaper way
    TUNING = "tuning"  # more steps do not help the defaults
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class BudgetLevel:
    """What the defaults reached with one budget."""

    factor: int  # times the steps of a trial
    runs: tuple[tuple[int, int, float], ...]  # (seed, env steps trained, mean return); those that ended well
    n_diverged: int
    n_failed: int

    @property
    def middle(self) -> float | None:
        """The median of the seeds' mean returns, or None without any."""
        return median(value for _, _, value in self.runs) if self.runs else None

    @property
    def n_ended(self) -> int:
        """How many of its runs have a result."""
        return len(self.runs) + self.n_diverged + self.n_failed

    @property
    def is_broken(self) -> bool:
        """Whether half of its runs or more ended without a value."""
        return self.n_ended > 0 and 1 - len(self.runs) / self.n_ended >= _BROKEN


@dataclass(frozen=True)
class BudgetCheckInfo:
    """A check in numbers, and in a sentence."""

    env_id: str
    algorithm: str
    n_timesteps: int  # of a trial, in whole rollouts
    maximize: bool
    threshold: float | None  # return that counts as solved
    levels: tuple[BudgetLevel, ...]  # one for each budget, the smallest first
    answer: Answer
    sentence: str  # the answer in plain text
    details: tuple[str, ...]  # what else there is to know, in sentences
    longer: int | None = None  # times the steps, where the answer is to train longer

    @property
    def baseline(self) -> tuple[int, float] | None:
        """The largest budget that has a value: (times the steps, median return)."""
        found = [(level.factor, level.middle) for level in self.levels if level.middle is not None]
        return found[-1] if found else None


def budget_check_info(question: BudgetCheck, results: Mapping[str, RunResult]) -> BudgetCheckInfo:
    """Judge a check by its results so far.

    The rules, in this order:

    - *not yet* until all runs have a result;
    - half of the runs of a budget ended without a value: *tuning* where runs diverged, *unclear* where they
      failed, as that may be the environment's fault;
    - the median of a budget reaches the return that counts as solved: *solved* with once the steps, *longer*
      with more;
    - every seed gains from once to four times the steps, on average at least a tenth (`WORTH`) and no less
      than what seeds of one budget differ by (their standard deviation, where it is largest): *longer*;
    - no seed gains a tenth: *tuning*, or *unclear* where even four times the steps are few (`FEW_STEPS`);
    - else the seeds differ by more than the budgets do: *unclear*.

    Args:
        question: what was asked.
        results: by key; in any order.
    """
    levels = tuple(_level(question, results, factor) for factor in FACTORS)
    threshold = question.reward_threshold if question.maximize else None
    answer, sentence, details, longer = _answer(question, levels, threshold)
    lost = [f"{sum(n)} {word}" for word, n in _lost(levels).items() if sum(n)]
    if lost and answer != Answer.NOT_YET:
        details.append(
            f"Of the {count(len(question.run_keys), 'run')} {listed(lost)}; they count for nothing."
        )
    return BudgetCheckInfo(
        env_id=question.env.id,
        algorithm=question.algorithm,
        n_timesteps=question.once,
        maximize=question.maximize,
        threshold=threshold,
        levels=levels,
        answer=answer,
        sentence=sentence,
        details=tuple(details),
        longer=longer,
    )


def _level(question: BudgetCheck, results: Mapping[str, RunResult], factor: int) -> BudgetLevel:
    runs, broken = [], []
    for seed in range(N_SEEDS):
        result = results.get(question.key(factor, seed))
        if result is None:
            continue
        if result.mean is not None and math.isfinite(result.mean):
            runs.append((seed, result.timesteps, result.mean))
        else:
            broken.append(result.state)
    n_failed = broken.count("failed")
    return BudgetLevel(factor, tuple(runs), len(broken) - n_failed, n_failed)


_Judged = tuple[Answer, str, list[str], int | None]


def _answer(question: BudgetCheck, levels: Sequence[BudgetLevel], threshold: float | None) -> _Judged:
    n_ended, n_runs = sum(level.n_ended for level in levels), len(question.run_keys)
    if n_ended < n_runs:
        said = f"{n_ended} of {count(n_runs, 'run')} are done: the answer comes with the last one."
        return Answer.NOT_YET, said, [], None
    broken = [level for level in levels if level.is_broken]
    if broken:
        return _broken(broken)
    if threshold is not None:
        solving = next((level for level in levels if _middle(level) >= threshold), None)
        if solving is not None:
            return _solved(solving, threshold)
    return _compared(levels, threshold, question)


def _broken(broken: Sequence[BudgetLevel]) -> _Judged:
    worst = max(broken, key=lambda level: level.n_ended - len(level.runs))
    which = f"of the {worst.n_ended} runs with {times(worst.factor)} the steps"
    if worst.n_diverged >= worst.n_failed:
        said = f"Tuning is worth it: the defaults break, {worst.n_diverged} {which} diverged."
        return Answer.TUNING, said, ["A smaller learning rate is the first thing to try."], None
    said = f"Cannot tell: {worst.n_failed} {which} failed."
    return Answer.UNCLEAR, said, ["Their errors are below."], None


def _solved(level: BudgetLevel, threshold: float) -> _Judged:
    asked = f"and {three_digits(threshold)} counts as solved"
    n_solved = sum(value >= threshold for _, _, value in level.runs)
    seeds = _range(level)
    if n_solved < len(level.runs):
        seeds = f"{n_solved} of {seeds.replace(',', ' get there,', 1)}"
    if level.factor == 1:
        said = f"The defaults solve it already: {three_digits(_middle(level))}, {asked} ({seeds})."
        enough = "There is nothing to tune, unless it should learn faster, or with every seed."
        return Answer.SOLVED, said, [enough], None
    said = (
        f"Train longer: with {times(level.factor)} the steps the defaults reach "
        f"{three_digits(_middle(level))}, {asked} ({seeds})."
    )
    return Answer.LONGER, said, [], level.factor


def _compared(levels: Sequence[BudgetLevel], threshold: float | None, question: BudgetCheck) -> _Judged:
    first, last = levels[0], levels[-1]
    worth = WORTH * max([*(abs(_middle(level)) for level in levels), abs(threshold or 0.0)])
    gains = _gains(first, last, maximize=question.maximize)
    if len(gains) < _FEWEST_SEEDS:
        return Answer.UNCLEAR, "Cannot tell: too many runs ended without a value.", [], None
    if min(gains) > 0 and fmean(gains) >= max(worth, _spread(levels)):
        return _longer(levels, worth, question)
    if max(gains) <= worth:
        return _tuning(first, last, worth, threshold, question)
    seeds = listed([three_digits(value) for _, _, value in sorted(last.runs, key=lambda run: run[2])])
    said = (
        f"Cannot tell: the {_number_of(len(last.runs))} seeds differ by more than the budgets do. With "
        f"{times(last.factor)} the steps they reach {seeds}; the median was {three_digits(_middle(first))} "
        f"with {whole(question.once)} steps and is {three_digits(_middle(last))}."
    )
    details = [
        "More episodes each make one evaluation tell more; a check with still more steps, or one with other "
        "seeds, may settle it. That seeds differ this much is itself a reason to tune."
    ]
    longest = last.factor * question.once
    if longest < FEW_STEPS:
        details = [f"{whole(longest)} steps are few: try 10 times the steps of a trial first."]
    return Answer.UNCLEAR, said, details, None


def _longer(levels: Sequence[BudgetLevel], worth: float, question: BudgetCheck) -> _Judged:
    first, second, last = levels
    further = _gains(second, last, maximize=question.maximize)
    goes_on = fmean(further) >= worth / 2
    best = last if goes_on else second
    verb = "rise" if question.maximize else "fall"
    end = f"and still {verb}" if goes_on else f"and gain little more with {times(last.factor)}"
    said = (
        f"Train longer: with {times(best.factor)} the steps the defaults reach {three_digits(_middle(best))} "
        f"({_range(best)}) instead of {three_digits(_middle(first))}, {end}."
    )
    return Answer.LONGER, said, [], best.factor


def _tuning(
    first: BudgetLevel, last: BudgetLevel, worth: float, threshold: float | None, question: BudgetCheck
) -> _Judged:
    change = (_middle(last) - _middle(first)) * (1 if question.maximize else -1)
    level = three_digits(_middle(last))
    longest = last.factor * question.once
    if longest < FEW_STEPS:
        said = (
            f"Too short to tell: the defaults stand at {level} with {times(last.factor)} the steps "
            f"({_range(last)}), and {whole(longest)} steps are few. Try 10 times the steps of a trial."
        )
        solved = [] if threshold is None else [f"{three_digits(threshold)} counts as solved."]
        return Answer.UNCLEAR, said, solved, None
    if change < -worth:
        said = (
            f"Tuning is worth it: longer training makes the defaults worse, from "
            f"{three_digits(_middle(first))} to {level} with {times(last.factor)} the steps ({_range(last)})."
        )
    else:
        said = (
            f"Tuning is worth it: the defaults stand at {level} even with {times(last.factor)} the steps "
            f"({_range(last)})."
        )
    if threshold is not None:
        details = [f"{three_digits(threshold)} counts as solved."]
    else:
        details = [
            f"Nobody has said which return solves this environment: if {level} is good enough, "
            "there is nothing to tune."
        ]
    return Answer.TUNING, said, details, None


def _middle(level: BudgetLevel) -> float:
    assert level.middle is not None  # else it is broken, which is answered first
    return level.middle


def _gains(before: BudgetLevel, after: BudgetLevel, *, maximize: bool) -> list[float]:
    """Return what each seed that has both gains, in scores, where higher is better."""
    sign = 1.0 if maximize else -1.0
    start = {seed: value for seed, _, value in before.runs}
    return [sign * (value - start[seed]) for seed, _, value in after.runs if seed in start]


def _spread(levels: Sequence[BudgetLevel]) -> float:
    """Return the standard deviation of seeds that share a budget, of the budget where they differ most."""
    found = [[value for _, _, value in level.runs] for level in levels]
    return max((stdev(values) for values in found if len(values) > 1), default=0.0)


def _range(level: BudgetLevel) -> str:
    values = [value for _, _, value in level.runs]
    low, high = three_digits(min(values)), three_digits(max(values))
    seeds = count(len(values), "seed")
    return f"{seeds}, all {low}" if low == high else f"{seeds}, {low} to {high}"


def _number_of(n: int) -> str:
    return {2: "two", 3: "three"}.get(n, str(n))


def _lost(levels: Sequence[BudgetLevel]) -> dict[str, list[int]]:
    return {
        "diverged": [level.n_diverged for level in levels],
        "failed": [level.n_failed for level in levels],
    }

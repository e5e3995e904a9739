"""Is it better beyond the bound? What a probe's runs say, in pairs that share configuration and seeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tuning.analysis.paired import PairedDifference, paired_difference
from tuning.analysis.words import count, three_digits
from tuning.probe import Probe
from tuning.retraining_plan import RunResult


class ProbeVerdict(StrEnum):
    """What a probe found, in words."""

    BETTER_BEYOND = "better beyond"
    BETTER_INSIDE = "better inside"  # at a value within the declared range where hardly any trial went
    WORSE_BEYOND = "worse beyond"
    BREAKS_BEYOND = "breaks beyond"  # at least half of the runs there failed or diverged
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Pair:
    """One configuration with one pair of seeds, at its own value and at a probed one."""

    trial: int  # of the study, whose configuration it is
    before: float  # mean return at its own value
    after: float  # mean return at the probed value


@dataclass(frozen=True)
class ProbedValue:
    """What became of the runs at one value."""

    value: float
    past: bool  # beyond the declared bound
    pairs: tuple[Pair, ...]  # those of which both runs gave a value
    n_broken: int  # runs that failed or diverged here, and not at the configuration's own value
    difference: PairedDifference | None  # None without pairs

    @property
    def breaks(self) -> bool:
        """Whether at least half of the runs here broke."""
        return self.n_broken > 0 and self.n_broken >= len(self.pairs)


@dataclass(frozen=True)
class ProbeInfo:
    """What a probe has found so far."""

    parameter: str
    side: str
    bound: float  # the declared one that is in question
    maximize: bool
    n_done: int
    n_runs: int
    n_lost: int  # runs that failed or diverged, anywhere
    trials: tuple[int, ...]  # of the study, whose configurations were trained, best first
    values: tuple[ProbedValue, ...]  # from the inside outward
    verdict: ProbeVerdict
    sentence: str  # plain text


def probe_info(question: Probe, results: Mapping[str, RunResult], *, n_runs: int) -> ProbeInfo:
    """Compare every probed value with the configurations' own, pair by pair.

    Args:
        question: what was asked.
        results: those there are so far, by key.
        n_runs: how many there will be.
    """
    values = tuple(_probed(question, value, results) for value in question.values)
    verdict, decisive = _verdict(values)
    return ProbeInfo(
        parameter=question.parameter,
        side=question.side,
        bound=question.high if question.side == "high" else question.low,
        maximize=question.maximize,
        n_done=len(results),
        n_runs=n_runs,
        n_lost=sum(result.mean is None for result in results.values()),
        trials=tuple(c.trial for c in question.configurations),
        values=values,
        verdict=verdict,
        sentence=_sentence(question, verdict, decisive, results, n_runs)
        + _further(decisive, verdict, values),
    )


def _probed(question: Probe, value: float, results: Mapping[str, RunResult]) -> ProbedValue:
    pairs, n_broken = [], 0
    for configuration in question.configurations:
        for seed in range(question.n_seeds):
            before = results.get(question.key(configuration, None, seed))
            after = results.get(question.key(configuration, value, seed))
            if before is None or after is None or before.mean is None:
                continue
            if after.mean is None:
                n_broken += 1
            else:
                pairs.append(Pair(configuration.trial, before.mean, after.mean))
    difference = paired_difference([(p.before, p.after) for p in pairs], maximize=question.maximize)
    return ProbedValue(value, question.past(value), tuple(pairs), n_broken, difference)


def _verdict(values: tuple[ProbedValue, ...]) -> tuple[ProbeVerdict, ProbedValue | None]:
    """Return the verdict and the value that decides it: the best of those that are better, if any is."""
    usable = [v for v in values if v.difference is not None and not v.breaks]
    better = [v for v in usable if v.difference and v.difference.direction == "better"]
    if better:
        best = max(better, key=_gain)
        return (ProbeVerdict.BETTER_BEYOND if best.past else ProbeVerdict.BETTER_INSIDE), best
    beyond = [v for v in values if v.past]
    if beyond and beyond[0].breaks:  # the value nearest to the bound
        return ProbeVerdict.BREAKS_BEYOND, beyond[0]
    worse = [v for v in beyond if v.difference and v.difference.direction == "worse"]
    if worse and worse[0] is beyond[0]:
        return ProbeVerdict.WORSE_BEYOND, worse[0]
    return ProbeVerdict.CANNOT_TELL, max(usable, key=_gain, default=None)


def _gain(value: ProbedValue) -> float:
    assert value.difference is not None
    return value.difference.gain


def _sentence(
    question: Probe,
    verdict: ProbeVerdict,
    decisive: ProbedValue | None,
    results: Mapping[str, RunResult],
    n_runs: int,
) -> str:
    name = question.parameter
    so_far = "" if len(results) >= n_runs else f"After {len(results)} of {n_runs} runs: "
    if decisive is None:
        lost = [r for r in results.values() if r.mean is None]
        if lost:
            none = "no pair of runs gave a value" if so_far else "No pair of runs gave a value"
            return f"{so_far}{none}. {_lost_words(lost)}"
        return f"{so_far}no pair of runs is complete yet." if so_far else "No pair of runs is complete."
    at = f"at {name} {three_digits(decisive.value)}"
    broke = f"{decisive.n_broken} of {count(decisive.n_broken + len(decisive.pairs), 'run')} there broke"
    match verdict:
        case ProbeVerdict.BREAKS_BEYOND:
            lost = [r for r in results.values() if r.mean is None]
            said = f"Past the bound training breaks: {at} {broke}. {_lost_words(lost)}"
        case ProbeVerdict.BETTER_BEYOND:
            said = f"Past the bound it gets better: {at} {_difference_words(decisive)}."
        case ProbeVerdict.BETTER_INSIDE:
            said = f"It is better within the range: {at} {_difference_words(decisive)}."
        case ProbeVerdict.WORSE_BEYOND:
            said = f"Past the bound it gets worse: {at} {_difference_words(decisive)}."
        case _:
            said = f"The probe cannot tell: {at} {_difference_words(decisive)}."
    if decisive.n_broken and verdict != ProbeVerdict.BREAKS_BEYOND:
        said += f" {broke}."
    if against := _disagreeing(decisive, verdict):
        said += f" Not for every configuration: that of trial {against} points the other way."
    return so_far + (said[:1].lower() + said[1:] if so_far else said)


def _further(decisive: ProbedValue | None, verdict: ProbeVerdict, values: tuple[ProbedValue, ...]) -> str:
    """Return where it stops being better, or breaks, when a value further out shows that."""
    if verdict not in (ProbeVerdict.BETTER_BEYOND, ProbeVerdict.CANNOT_TELL) or decisive is None:
        return ""
    for value in values[values.index(decisive) + 1 :]:
        if value.breaks:
            return f" At {three_digits(value.value)} training breaks."
        if value.difference and value.difference.direction == "worse":
            return f" At {three_digits(value.value)} it is already worse."
    return ""


def _difference_words(value: ProbedValue) -> str:
    d = value.difference
    assert d is not None
    up = d.mean >= 0
    size = f"the return is {three_digits(abs(d.mean))} {'higher' if up else 'lower'}"
    if d.low is None or d.high is None:
        return f"{size}, in a single pair"
    low, high = d.low, d.high
    if d.direction == "cannot tell":  # an interval around zero reads with signs only
        size = f"the return changes by {three_digits(d.mean)}"
    elif not up:
        low, high = -d.high, -d.low
    interval = f"{d.level:.0%} interval {three_digits(low)} to {three_digits(high)}".replace("%", " %")
    return f"{size} ({interval}, better in {d.wins} of {count(d.n, 'pair')})"


def _disagreeing(value: ProbedValue, verdict: ProbeVerdict) -> str:
    """Return the trials whose own mean difference points against the verdict, as words."""
    if verdict not in (ProbeVerdict.BETTER_BEYOND, ProbeVerdict.BETTER_INSIDE, ProbeVerdict.WORSE_BEYOND):
        return ""
    assert value.difference is not None
    sign = 1 if value.difference.mean >= 0 else -1
    sums: dict[int, float] = {}
    for pair in value.pairs:
        sums[pair.trial] = sums.get(pair.trial, 0.0) + sign * (pair.after - pair.before)
    return " and ".join(str(trial) for trial, total in sums.items() if total < 0)


def _lost_words(lost: list[RunResult]) -> str:
    first = lost[0]
    return f"The first that {first.state}: {first.message[:200].rstrip('. ')}."

"""What a report found out: history, slices, verdicts on the ranges, the re-evaluation."""

from dataclasses import dataclass, field

from optuna.trial import FrozenTrial

from storage.trials import imported, own
from tuning.analysis import verdict_words
from tuning.analysis.answers import history_answer, importance_answer
from tuning.analysis.history import history_info
from tuning.analysis.importance import importance_info
from tuning.analysis.outcomes import nothing_complete
from tuning.analysis.saturation import ParameterSaturation, SaturationInfo, saturation_info
from tuning.analysis.saturation import not_ready as ranges_not_ready
from tuning.analysis.saturation_points import axis_infos
from tuning.analysis.slices import not_ready as slices_not_ready
from tuning.analysis.space import declared_space
from tuning.analysis.words import three_digits
from tuning.expectation import expected_return
from tuning.launch import Run
from tuning.report_plots import Plot, history_plot, saturation_plots, slice_plots
from tuning.report_reevaluation import Reevaluated, reevaluated
from tuning.space.limits import known_limits, spec_limits

MOST_SLICES = 12
MOST_RANGES = 6  # drawn; the table has all


@dataclass
class Ranges:
    """The verdicts on the search space."""

    answer: str
    rows: list["RangeRow"] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)


@dataclass(frozen=True)
class RangeRow:
    """One parameter's verdict in words."""

    name: str
    verdict: str
    tone: str  # a colour's name: red, orange, yellow, blue, green, gray
    declared: str
    suggested: str
    sentence: str


@dataclass
class Findings:
    """Everything that a report found out."""

    answer: str  # the first thing a person reads; empty where there is nothing yet
    not_ready: str  # why there is no history; empty otherwise
    history_answer: str
    history: Plot | None
    slices_answer: str
    slices: list[Plot]
    n_slices_left_out: int
    ranges: Ranges
    reevaluation: Reevaluated | None
    numbers: list[tuple[str, str]]  # the few that tell most


def study_findings(run: Run) -> Findings:
    """Work everything out; takes seconds, most of it for the ranges."""
    ours, theirs = own(run.study.trials), imported(run.study.trials)
    maximize = run.study.maximize
    ended = [t for t in run.study.trials if t.state.is_finished()]
    info = history_info(ours, maximize=maximize)
    said = history_answer(info, imported=history_info(theirs, maximize=maximize)) or ""
    re_evaluated = reevaluated(run)
    slices_answer, slices, left_out = _slices(run, ended)
    return Findings(
        answer=re_evaluated.info.recommendation if re_evaluated else said,
        not_ready=""
        if info.best_value is not None
        else nothing_complete(ours) or "No trial is complete yet.",
        history_answer=said,
        history=history_plot(run) if run.study.trials else None,
        slices_answer=slices_answer,
        slices=slices,
        n_slices_left_out=left_out,
        ranges=_ranges(run, ended),
        reevaluation=re_evaluated,
        numbers=_numbers(info.best_value, info.baselines, re_evaluated),
    )


def _numbers(
    best: float | None, baselines: tuple[tuple[int, str, float], ...], found: Reevaluated | None
) -> list[tuple[str, str]]:
    numbers = []
    if found and found.info.expected is not None and found.info.winner is not None:
        numbers.append((f"Expect of {found.info.winner.candidate.name}", three_digits(found.info.expected)))
        if found.info.best_trial is not None and found.info.best_trial is not found.info.winner:
            trial = found.info.best_trial.candidate  # the search's best, beaten by a baseline
            honest = expected_return(found.info, trial.trial) if trial.trial is not None else None
            numbers += [(f"Expect of {trial.name}", three_digits(honest))] if honest is not None else []
        for c in found.info.candidates:
            if c.candidate.is_baseline and c is not found.info.winner and c.mean is not None:
                numbers.append((f"{c.candidate.name}, measured likewise", three_digits(c.mean)))
    if best is not None:
        numbers.append(("Best of the search, measured once", three_digits(best)))
    if not found and baselines:
        numbers.append((f"{baselines[0][1]}, measured once", three_digits(baselines[0][2])))
    return numbers


def _slices(run: Run, ended: list[FrozenTrial]) -> tuple[str, list[Plot], int]:
    if missing := slices_not_ready(ended or run.study.trials):
        return missing, [], 0
    importance = importance_info(ended, maximize=run.study.maximize)
    declared = [p.name for p in run.spec.search_space] if run.spec else list(declared_space(ended))
    ranked = [name for name, _ in importance.importances if name in declared]
    names = ranked + [name for name in declared if name not in ranked]
    shown = names[:MOST_SLICES]
    return importance_answer(importance) or "", slice_plots(run, ended, shown), len(names) - len(shown)


def _ranges(run: Run, ended: list[FrozenTrial]) -> Ranges:
    if missing := ranges_not_ready(ended or run.study.trials):
        return Ranges(missing)
    limits = spec_limits(run.spec) if run.spec else known_limits(declared_space(ended))
    info = saturation_info(ended, maximize=run.study.maximize, limits=limits)
    answer = verdict_words.answer(info) or "No parameter of the finished trials varies."
    rows = [_range_row(p) for p in info.parameters]
    return Ranges(answer, rows, saturation_plots(axis_infos(ended, info), _drawn(info)))


def _drawn(info: SaturationInfo) -> list[str]:
    """Return which ranges are worth a figure: those to look at, else the first."""
    urgent = [p.name for p in info.parameters if p.verdict in verdict_words.URGENT]
    return (urgent or [p.name for p in info.parameters[:1]])[:MOST_RANGES]


def _range_row(p: ParameterSaturation) -> RangeRow:
    has_range = p.low is not None and p.high is not None
    return RangeRow(
        name=p.name,
        verdict=verdict_words.label(p),
        tone=verdict_words.colour(p),
        declared=_between(p.low, p.high) + (" (log)" if p.axis.log else "") if has_range else "choices",
        suggested=_between(*p.suggested) if p.suggested else "",
        sentence=p.sentence,
    )


def _between(low: float | None, high: float | None) -> str:
    assert low is not None
    assert high is not None
    return f"{three_digits(low)} to {three_digits(high)}"

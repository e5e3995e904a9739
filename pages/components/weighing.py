"""The verdicts on a study's ranges, worked out beside the script and kept by the number of ended trials."""

from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optuna.trial import FrozenTrial

from pages.components import cached
from storage.paths import RunFolder
from tuning.launch import Run
from tuning.space.limits import Limit, known_limits, spec_limits

if TYPE_CHECKING:
    from tuning.analysis.saturation import SaturationInfo
    from tuning.analysis.saturation_points import AxisInfo
    from tuning.analysis.verdict_history import VerdictStage

_WAIT_S = 0.25  # a result that takes no longer is drawn at once


class Unweighable(RuntimeError):
    """The evidence could not be weighed; the message says so in a plain sentence."""


def saturation(run: Run) -> "SaturationInfo | None":
    """Return the verdict on every range, or None while a thread works it out: ask again a little later.

    Raises:
        Unweighable: it cannot be worked out.
    """
    info: SaturationInfo | None = _waited(_ask_saturation(run))
    return info


@dataclass(frozen=True)
class Known:
    """The newest verdicts that are known."""

    info: "SaturationInfo | None"  # perhaps a few trials behind; None: not known yet, or never to be
    pending: bool  # a thread brings them up to date


def known_saturation(folder: RunFolder) -> Known:
    """Return the newest verdicts that are known, and let a thread bring them up to date; never waits."""
    background, group = cached.background(), _group("saturation", folder)
    found = background.newest(group)
    try:
        summary = cached.summary(folder)
        n_finished = summary.n_complete + summary.n_pruned + summary.n_failed + summary.n_imported
        is_old = n_finished > 0 and (found is None or found[0] != n_finished)
        if is_old and not background.is_busy(group):
            _ask_saturation(cached.run(folder))
    except cached.UNREADABLE:
        return Known(None, pending=False)  # the page that shows the study says so
    return Known(None if found is None else found[1], background.is_busy(group))


def axes(run: Run, info: "SaturationInfo") -> "dict[str, AxisInfo] | None":
    """Return what the plot of each judged parameter shows, or None while a thread works it out.

    Raises:
        Unweighable: it cannot be worked out.
    """
    trials, _, _ = _evidence(run)

    def work() -> "dict[str, AxisInfo]":
        from tuning.analysis.saturation_points import axis_infos  # with SciPy

        return axis_infos(trials, info)

    found: dict[str, AxisInfo] | None = _waited(
        cached.background().ask(_group("axes", run.folder), (len(trials), info.n_finished), work)
    )
    return found


def earlier(folder: RunFolder) -> "tuple[SaturationInfo | None, dict[str, AxisInfo] | None]":
    """Return the newest verdicts and plots that are there, from before the last trials ended."""
    found = [cached.background().newest(_group(what, folder)) for what in ("saturation", "axes")]
    info, axes = (None if f is None else f[1] for f in found)
    return info, axes


def verdict_history(run: Run) -> "tuple[VerdictStage, ...] | None":
    """Return what the verdicts were earlier in the study, or None while a thread works it out.

    Raises:
        Unweighable: it cannot be worked out.
    """
    trials, maximize, limits = _evidence(run)

    def work() -> "tuple[VerdictStage, ...]":
        from tuning.analysis.verdict_history import verdict_history  # with SciPy

        return verdict_history(trials, maximize=maximize, limits=limits)

    stages: tuple[VerdictStage, ...] | None = _waited(
        cached.background().ask(_group("verdict history", run.folder), len(trials), work)
    )
    return stages


def _ask_saturation(run: Run) -> "Future[SaturationInfo]":
    trials, maximize, limits = _evidence(run)

    def work() -> "SaturationInfo":
        from tuning.analysis.saturation import saturation_info  # with SciPy, which no other page needs

        return saturation_info(trials, maximize=maximize, limits=limits)

    return cached.background().ask(_group("saturation", run.folder), len(trials), work)


def _evidence(run: Run) -> tuple[tuple[FrozenTrial, ...], bool, dict[str, Limit]]:
    trials = tuple(t for t in run.study.trials if t.state.is_finished())
    if run.spec is not None:
        return trials, run.study.maximize, spec_limits(run.spec)
    return trials, run.study.maximize, known_limits({name for t in trials for name in t.params})


def _group(what: str, folder: RunFolder) -> tuple[str, str, int]:
    path, journal, _ = cached.version(folder)
    return (what, path, journal[0])


def _waited(future: Future[Any]) -> Any | None:
    try:
        return future.result(_WAIT_S)
    except NotYet:
        return None
    except Exception as error:
        raise Unweighable(
            f"The evidence cannot be weighed: {type(error).__name__}. The server's terminal says more."
        ) from error

"""What each verdict would have been earlier in the study: does it hold, or did it just appear?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from tuning.analysis.saturation import ParameterSaturation, saturation_info
from tuning.space.limits import Limit

STAGES = (0.25, 0.5, 0.75)  # of the finished trials


@dataclass(frozen=True)
class VerdictStage:
    """Every verdict after the first trials of a study."""

    n_finished: int
    parameters: Mapping[str, ParameterSaturation]  # by name; one that did not vary yet is missing


def verdict_history(
    trials: Sequence[FrozenTrial], *, maximize: bool, limits: Mapping[str, Limit]
) -> tuple[VerdictStage, ...]:
    """Judge the first quarter, half and three quarters of the finished trials, by trial number."""
    finished = sorted((t for t in trials if t.state.is_finished()), key=lambda t: t.number)
    stages = []
    for n in dict.fromkeys(math.ceil(share * len(finished)) for share in STAGES):
        info = saturation_info(finished[:n], maximize=maximize, limits=limits)
        stages.append(VerdictStage(n, {p.name: p for p in info.parameters}))
    return tuple(stages)

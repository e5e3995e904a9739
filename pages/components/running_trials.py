"""The trials that train right now: progress, phase and learning curve of each."""

import time
from collections.abc import Sequence

import streamlit as st

from pages.components import frame
from pages.components.learning_curve import MEAN_OF, learning_curve
from storage.live import Heartbeat, read_curve
from storage.paths import RunFolder
from tuning.analysis.look import duration, whole

MAX_CHARTS = 8
LATE_S = 5.0  # a heartbeat this old means that its worker is stuck or dead

PHASES = {
    "start": "building the agent",
    "collect": "collecting experience",
    "update": "updating the policy",
    "evaluate": "evaluating",
    "save": "saving its policy",
    "tell": "recording the result",
}


def phase_words(phase: str) -> str:
    """Return what a worker is doing, in words."""
    return PHASES.get(phase, frame.escape(phase[:40]))


def trial_title(beat: Heartbeat, *, now: float) -> str:
    """Return which trial it is and what its worker does, as Markdown."""
    silent_s = now - beat.updated_at
    if silent_s > LATE_S:
        return f"**Trial {beat.trial}** · no sign of life for {duration(silent_s)}"
    return f"**Trial {beat.trial}** · {phase_words(beat.phase)}"


def trial_progress(beat: Heartbeat) -> str:
    """Return how far a trial is and how fast it goes, over its whole life (an update collects no steps)."""
    lived_s = beat.updated_at - beat.started_at
    speed = f" · {whole(beat.timesteps / lived_s)} steps/s" if lived_s > 1 and beat.timesteps else ""
    return f"{whole(beat.timesteps)} of {whole(beat.total_timesteps)} steps{speed}"


def draw_running_trials(folder: RunFolder, beats: Sequence[Heartbeat], *, best: float | None) -> None:
    """Draw a card for each running trial, two in a row; a worker keeps its place from trial to trial."""
    now = time.time()
    by_worker = sorted(beats, key=lambda beat: (beat.pid_created, beat.pid))
    for first in range(0, min(len(by_worker), MAX_CHARTS), 2):
        for slot, column in enumerate(st.columns(2, gap="medium")):
            if first + slot < len(by_worker):
                with column, st.container(border=True):
                    _draw_card(folder, by_worker[first + slot], first + slot, best=best, now=now)
    if len(by_worker) > MAX_CHARTS:
        rest = ", ".join(str(beat.trial) for beat in by_worker[MAX_CHARTS:])
        st.caption(f"Also running, without a chart: trials {rest}.")
    if by_worker:
        st.caption(
            f"Dots: training episodes. Line: the mean of the last {MEAN_OF}. Diamonds: evaluations. "
            "Dashed: the best trial so far."
        )


def _draw_card(folder: RunFolder, beat: Heartbeat, slot: int, *, best: float | None, now: float) -> None:
    st.markdown(trial_title(beat, now=now))
    st.progress(_share(beat), text=trial_progress(beat))
    curve = read_curve(folder, beat.trial)
    chart = learning_curve(curve, total_timesteps=beat.total_timesteps, best=best, theme=frame.theme())
    st.vega_lite_chart(chart, key=f"curve-{slot}", alt=f"Returns of trial {beat.trial} against env steps")


def _share(beat: Heartbeat) -> float:
    return min(1.0, max(0.0, beat.timesteps / max(1, beat.total_timesteps)))

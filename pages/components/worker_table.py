"""Are the workers well? Their processes, heartbeats and memory."""

import time
from collections.abc import Sequence

import pandas as pd
import psutil
import streamlit as st

from pages.components.running_trials import LATE_S, PHASES
from storage.live import Heartbeat
from tuning.analysis.look import three_digits, whole


def worker_memory_mb(pid: int, created_at: float) -> float | None:
    """Return a process's resident memory in MB, or None when that very process is gone.

    The creation time is compared because process ids are reused.
    """
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - created_at) > 1.0 or process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.memory_info().rss) / 1e6
    except (psutil.Error, ValueError, OverflowError):
        return None


def worker_frame(beats: Sequence[Heartbeat], *, now: float) -> pd.DataFrame:
    """Return one row for each worker: worker (pid), health, trial, phase, heartbeat (age), memory, speed."""
    rows = []
    for beat in sorted(beats, key=lambda b: (b.pid_created, b.pid)):
        memory = worker_memory_mb(beat.pid, beat.pid_created)
        silent_s = max(0.0, now - beat.updated_at)
        health = "gone" if memory is None else "silent" if silent_s > LATE_S else "well"
        rows.append(
            {
                "worker": str(beat.pid),
                "health": health,
                "trial": beat.trial,
                "phase": PHASES.get(beat.phase, beat.phase[:40]),
                "heartbeat": f"{three_digits(round(silent_s, 1))} s ago",
                "memory": f"{whole(memory)} MB" if memory is not None else "",
                "speed": f"{whole(beat.steps_per_s)} steps/s",
            }
        )
    columns = ["worker", "health", "trial", "phase", "heartbeat", "memory", "speed"]
    return pd.DataFrame(rows, columns=columns)


def draw_workers(beats: Sequence[Heartbeat]) -> None:
    """Draw the table of workers."""
    st.dataframe(
        worker_frame(beats, now=time.time()),
        key="workers",
        hide_index=True,
        alt="Workers with their health, phase and memory",
        column_config={
            "worker": st.column_config.TextColumn("Process", help="Process id of the worker"),
            "health": st.column_config.TextColumn(
                "Health", help=f"Silent: no heartbeat for {LATE_S:g} s. Gone: the process has ended."
            ),
            "trial": st.column_config.NumberColumn("Trial", format="%d"),
            "phase": "Phase",
            "heartbeat": "Heartbeat",
            "memory": "Memory",
            "speed": "Speed",
        },
    )

"""Ending a child process together with everything that it started."""

import os
import signal
import subprocess


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a child that leads a session of its own, with all in it, and reap it, unless it has ended."""
    if process.poll() is not None:
        return  # its number may be another's by now
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()

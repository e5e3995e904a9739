"""A study as one HTML file for colleagues: opens without a server or a network, reads on a phone, prints.

All text of a study is hostile. The template escapes whatever it prints, figures come as JSON in which nothing
means anything to HTML, and the page forbids itself every request and every script but its own.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tuning.analysis.words import count, duration, three_digits, whole
from tuning.launch import Run
from tuning.report_facts import Facts, done_words, study_facts
from tuning.report_findings import Findings, study_findings
from tuning.report_plots import Plot, plotly_script
from tuning.report_videos import Videos, left_out_words, report_videos

MAX_BYTES = 14_500_000  # mail servers and chats take 15 MB
_MAX_FIGURES_BYTES = 5_000_000  # beside Plotly itself; videos get what is left
_WORDS_BYTES = 20_000  # about videos: who plays, how it ended
_TEMPLATE = "report.html.j2"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """The finished document, and what it leaves out."""

    html: str
    left_out: tuple[str, ...]  # sentences

    @property
    def size_bytes(self) -> int:
        """How large the file is."""
        return len(self.html.encode())


def build_report(run: Run, *, trial: int | None = None, say: Say = lambda _: None) -> Report:
    """Build the report of a study.

    Args:
        run: the study, ours or not.
        trial: whose configuration it shows; None for the chosen winner, else the best.
        say: told what is being done, in a few words.

    Raises:
        ExportError: there is no such trial.
    """
    say("Collecting what was searched")
    facts = study_facts(run, trial)
    say("Weighing the evidence and drawing")
    findings = study_findings(run)
    left_out = _fit_figures(findings)
    say("Packing the videos")
    plotly = plotly_script()
    without = _rendered(run, facts, findings, Videos((), 0, 0), (*left_out, "x" * _WORDS_BYTES), plotly)
    videos = report_videos(run.folder, budget_bytes=MAX_BYTES - len(without.encode()))
    say("Writing")
    notes = (*left_out, *left_out_words(videos))
    return Report(_rendered(run, facts, findings, videos, notes, plotly), notes)


def _rendered(
    run: Run, facts: Facts, findings: Findings, videos: Videos, notes: tuple[str, ...], plotly: str
) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"three": three_digits, "whole": whole, "duration": duration}
    environment.globals |= {"count": count, "json": lambda plot: Markup(plot.json)}
    return environment.get_template(_TEMPLATE).render(
        run=run,
        facts=facts,
        findings=findings,
        videos=videos,
        notes=notes,
        plotly=Markup(plotly),
        state=done_words(run),
        nonce=secrets.token_urlsafe(16),
        made=time.strftime("%Y-%m-%d %H:%M"),
    )


def _plots(findings: Findings) -> list[Plot]:
    re_evaluated = findings.reevaluation.plots if findings.reevaluation else []
    return [
        *([findings.history] if findings.history else []),
        *re_evaluated,
        *findings.slices,
        *findings.ranges.plots,
    ]


def _fit_figures(findings: Findings) -> list[str]:
    """Drop what makes the file too large, the least telling first; return sentences about that."""
    dropped = []
    droppable = [("The figures of the ranges", findings.ranges.plots), ("The slices", findings.slices)]
    if findings.reevaluation:
        droppable.append(("The figures of the re-evaluation", findings.reevaluation.plots))
    for name, plots in droppable:
        if sum(plot.size_bytes for plot in _plots(findings)) > _MAX_FIGURES_BYTES and plots:
            plots.clear()
            dropped.append(f"{name} are left out: with so many points this file would grow too large.")
    return dropped

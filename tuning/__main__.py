"""The command line: `python -m tuning ...`."""

import io
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from tuning.cli import (
    budget_checks,
    catalogues,
    diagnose,
    estimates,
    exports,
    output,
    probes,
    queued_trials,
    reevaluations,
    results,
    rollouts,
    studies,
    widen,
)
from tuning.cli.exits import EXIT_CODES, EXPECTED, code_of, faults_of


class _Commands(TyperGroup):
    """Turns expected errors into sentences and exit codes, in one place for all commands."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except EXPECTED as error:
            for fault in faults_of(error):
                output.report_fault(fault)
            raise typer.Exit(code_of(error)) from None


app = typer.Typer(
    cls=_Commands,
    help="Launch and read hyperparameter studies for RL agents.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("presets", epilog=EXIT_CODES)(catalogues.presets)
app.command("environments", epilog=EXIT_CODES)(catalogues.list_environments)
app.command("launch", epilog=EXIT_CODES)(studies.launch_study)
app.command("check", epilog=EXIT_CODES)(budget_checks.check)
app.command("estimate", epilog=EXIT_CODES)(estimates.estimate)
app.command("list", epilog=EXIT_CODES)(studies.list_studies)
app.command("status", epilog=EXIT_CODES)(studies.status)
app.command("stop", epilog=EXIT_CODES)(studies.stop)
app.command("resume", epilog=EXIT_CODES)(studies.resume)
app.command("enqueue", epilog=EXIT_CODES)(queued_trials.enqueue)
app.command("best", epilog=EXIT_CODES)(results.best)
app.command("trials", epilog=EXIT_CODES)(results.trials)
app.command("diagnose", epilog=EXIT_CODES)(diagnose.diagnose)
app.command("widen", epilog=EXIT_CODES)(widen.widen)
app.command("probe", epilog=EXIT_CODES)(probes.probe)
app.command("reevaluate", epilog=EXIT_CODES)(reevaluations.reevaluate)
app.command("rollout", epilog=EXIT_CODES)(rollouts.rollout)
app.command("export", epilog=EXIT_CODES)(exports.export)
app.command("delete", epilog=EXIT_CODES)(studies.delete)


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 is no reason to fail
    app(prog_name="python -m tuning")


if __name__ == "__main__":
    main()

"""What a report says before any finding: what was searched, with what, and how to do it again."""

import json
import time
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from storage.records import read_record
from storage.remarks import read_remarks
from storage.trials import counted
from storage.winner import read_winner
from tuning import export
from tuning.analysis.outcomes import reached
from tuning.analysis.space import CATEGORICAL, DeclaredAxis, declared_space
from tuning.analysis.summary import study_summary
from tuning.analysis.winner_words import expected_words
from tuning.analysis.words import count, duration, three_digits, whole
from tuning.budget_words import budget_words
from tuning.combinations import trials_in_all
from tuning.environments import EnvironmentsError
from tuning.export_choice import NothingToExport, choose_trial
from tuning.launch import Run
from tuning.lineage import parent_of
from tuning.machine import machine_record
from tuning.mapping import known_spec
from tuning.method_words import objective_words, pruner_words, sampler_words
from tuning.reevaluation_choice import ranked_reevaluations
from tuning.reevaluation_options import reevaluate_options
from tuning.space.parameters import Parameter
from tuning.spec import StudySpec
from tuning.spec_parts import wrappers_text
from tuning.trainers import study_trainers

_MOST_CHOICES = 12
_MOST_PARAMETERS = 60
_MOST_TEXT = 200_000  # characters of one configuration; a study that is not ours may hold anything


@dataclass(frozen=True)
class Searched:
    """One parameter of the search space, in words."""

    name: str
    range: str
    scale: str
    sets: str  # which argument, where that is not the parameter itself


@dataclass(frozen=True)
class Configuration:
    """The configuration that the report is about."""

    heading: str
    texts: tuple[tuple[str, str], ...]  # title and content
    problem: str  # why there is less; empty otherwise


@dataclass(frozen=True)
class Facts:
    """What was searched, with what, and how to do it again."""

    title: str
    study: str
    rows: tuple[tuple[str, str], ...]  # what was asked for
    space: tuple[Searched, ...]
    n_space: int
    configuration: Configuration | None  # None while no trial is complete
    spec_yaml: str  # empty for a study that is not ours
    commands: tuple[tuple[str, str], ...]  # what for, and the command
    versions: tuple[tuple[str, str, str], ...]  # package, then, now
    machine: str
    winner: str  # what a person chose, as a sentence; empty where nobody did


def study_facts(run: Run, trial: int | None = None) -> Facts:
    """Collect them.

    Raises:
        ExportError: `trial` names none.
    """
    spec = known_spec(run)
    title = f"{spec.algorithm} on {spec.env.id}" if spec else run.study.name
    space = _own_space(spec) if spec else _declared(run)
    return Facts(
        title=title,
        study=run.folder.id,
        rows=tuple(_rows(run, spec)),
        space=tuple(space[:_MOST_PARAMETERS]),
        n_space=len(space),
        configuration=_configuration(run, spec, trial),
        spec_yaml=run.spec.to_yaml() if run.spec else "",
        commands=tuple(_commands(run, spec)),
        versions=tuple(_versions(run, spec)),
        machine=_machine(run),
        winner=_winner(run),
    )


def _rows(run: Run, spec: StudySpec | None) -> list[tuple[str, str]]:
    summary = study_summary(run.study.trials, maximize=run.study.maximize)
    trials = count(summary.n_counted, "trial")
    planned = trials_in_all(run.spec, run.study.trials) if run.spec else summary.n_counted
    if planned != summary.n_counted:
        trials = f"{whole(summary.n_counted)} of {count(planned, 'trial')}"
    parts = [
        f"{whole(n)} {word}"
        for n, word in (
            (summary.n_complete, "complete"),
            (summary.n_pruned, "pruned"),
            (summary.n_failed, "failed"),
            (summary.n_running, "running"),
            (summary.n_imported, "imported"),
        )
        if n
    ]
    rows = [*_said(run), ("Trials", f"{trials} ({', '.join(parts)})" if parts else trials)]
    if trainers := study_trainers(run.study.trials):
        rows.append(("Trained by", trainers))
    if run.spec is not None:
        rows = [*_requested(run.spec), *rows]
    else:
        rows = [*(_mapped(spec) if spec else []), *rows]
        rows.append(("Direction", "higher is better" if run.study.maximize else "lower is better"))
        if run.source is not None:
            rows.append(("Read from", f"{run.source.path.name}, study {run.source.study[:80]}"))
    if parent := parent_of(run.folder):
        rows.append(("Continues", f"{parent.id} ({parent.changed})" if parent.changed else parent.id))
    if summary.first_started and summary.last_finished:
        took = (summary.last_finished - summary.first_started).total_seconds()
        rows.append(("Ran", f"{summary.first_started:%Y-%m-%d %H:%M}, for {duration(took)}"))
    return rows


def _said(run: Run) -> list[tuple[str, str]]:
    """Return the name and the note that people gave the study."""
    remarks = read_remarks(run.folder)
    said = (("Name", remarks.name), ("Tags", ", ".join(remarks.tags)), ("Note", remarks.note))
    return [(label, text) for label, text in said if text]


def _mapped(spec: StudySpec) -> list[tuple[str, str]]:
    """Return what a person said about a study that is not ours; how it searched nobody said."""
    told = [row for row in _requested(spec) if row[0] in ("Environment", "Algorithm", "Fixed")]
    return [*told, ("A trial", f"{whole(spec.budget.n_timesteps)} steps, as a person said here")]


def _requested(spec: StudySpec) -> list[tuple[str, str]]:
    b = spec.budget
    kwargs = ", ".join(f"{key}={value!r}" for key, value in spec.env.kwargs.items())
    fixed = ", ".join(f"{key}={value!r}" for key, value in spec.hyperparameters.items())
    return [
        ("Environment", spec.env.id + (f" ({kwargs})" if kwargs else "")),
        *([("Wrappers", wrappers_text(spec.env))] if spec.env.wrappers else []),
        ("Algorithm", f"{spec.algorithm}, {spec.policy}, {count(spec.n_train_envs, 'training env')}"),
        *([("Fixed", fixed)] if fixed else []),
        (
            "A trial",
            f"{budget_words(spec)}; {count(b.n_evaluations, 'evaluation')} of "
            f"{count(b.n_eval_episodes, 'episode')}",
        ),
        ("Value of a trial", objective_words(spec)),
        ("Sampler", sampler_words(spec)),
        ("Pruner", pruner_words(spec)),
        ("Workers", f"{whole(spec.n_workers)}, seed {spec.seed}"),
    ]


def _own_space(spec: StudySpec) -> list[Searched]:
    return [Searched(p.name, _range(p), "log" if p.log else "", _sets(p)) for p in spec.search_space]


def _range(p: Parameter) -> str:
    if p.kind == "categorical":
        return _choices([str(choice) for choice in p.choices or ()])
    assert p.low is not None
    assert p.high is not None
    step = f" in steps of {three_digits(p.step)}" if p.step else ""
    return f"{three_digits(p.low)} to {three_digits(p.high)}{step}"


def _sets(p: Parameter) -> str:
    if p.transform in ("1 - x", "2^x"):
        return f"{p.target} = {p.transform}"
    return p.target if p.target not in (p.name, f"policy_kwargs.{p.name}") else ""


def _declared(run: Run) -> list[Searched]:
    axes = declared_space(run.study.trials).values()
    return [Searched(a.name[:80], _axis_range(a), "log" if a.log else "", "") for a in axes]


def _axis_range(axis: DeclaredAxis) -> str:
    if axis.kind == CATEGORICAL:
        return _choices(axis.choices)
    return f"{three_digits(axis.low)} to {three_digits(axis.high)}"


def _choices(words: "list[str] | tuple[str, ...]") -> str:
    shown = ", ".join(word[:40] for word in words[:_MOST_CHOICES])
    return shown + (f" and {len(words) - _MOST_CHOICES} more" if len(words) > _MOST_CHOICES else "")


def _configuration(run: Run, spec: StudySpec | None, number: int | None) -> Configuration | None:
    try:
        chosen = choose_trial(run, number)
    except NothingToExport:
        if number is not None:
            raise
        return None
    trial, value = chosen.trial, reached(chosen.trial)
    heading = f"Trial {trial.number}, {chosen.why}"
    if value is not None:
        heading += f" (the search measured {three_digits(value)})"
    texts, problem = _texts(run, spec, trial)
    if any(len(text) > _MOST_TEXT for _, text in texts):
        texts, problem = (), f"The values of trial {trial.number} are too long to be shown here."
    if chosen.instead is not None:
        values = {"n_envs": chosen.instead.n_train_envs, **chosen.instead.resolved}
        texts = (*texts, (f"{chosen.instead.name}, recommended instead", json.dumps(values, indent=2)))
    return Configuration(heading, texts, problem)


def _texts(run: Run, spec: StudySpec | None, trial: FrozenTrial) -> tuple[tuple[tuple[str, str], ...], str]:
    try:
        if spec is None:
            return (("The values as the study stored them", export.values_json(run.study.name, trial)),), ""
        return (
            ("For RL Zoo's hyperparameter file", export.to_yaml(spec, trial)),
            ("As a script for plain Stable-Baselines3", export.to_python(spec, trial)),
        ), ""
    except (export.ExportError, EnvironmentsError) as error:
        return (), str(error)


def _commands(run: Run, spec: StudySpec | None) -> list[tuple[str, str]]:
    if spec is None:
        return []
    study = run.folder.id
    again = (
        "The search again, from the request below saved as spec.yaml",
        "python -m tuning launch spec.yaml --wait",
    )
    return [
        *([again] if run.spec else []),
        _measured_again(run),
        ("This report", f"python -m tuning export {study} --format report"),
    ]


def _measured_again(run: Run) -> tuple[str, str]:
    """Return the command of the re-evaluation that the report shows, else one to begin with."""
    command = f"python -m tuning reevaluate {run.folder.id}"
    if not (jobs := ranked_reevaluations(run.folder)):
        what = "The best five and the defaults, trained again on fresh seeds"
        return what, f"{command} --top 5 --seeds 10 --episodes 50 --wait"
    question = jobs[0].question
    what = "with the kept policies" if question.mode == "weights" else "on fresh seeds"
    return f"The re-evaluation again, {what}", f"{command} {reevaluate_options(question)} --wait"


def _versions(run: Run, spec: StudySpec | None) -> list[tuple[str, str, str]]:
    then, now = _recorded(run), machine_record()
    packages = then.get("packages")
    old = packages if isinstance(packages, dict) else {}
    if spec is None:
        return []
    rows = [("Python", str(then.get("python", "not recorded"))[:40], str(now["python"]))]
    return rows + [
        (name, str(old.get(name, "not recorded"))[:40], got) for name, got in now["packages"].items()
    ]


def _machine(run: Run) -> str:
    then = _recorded(run)
    cores, memory = then.get("cores"), then.get("memory_bytes")
    if not isinstance(cores, int) or not isinstance(memory, int):
        return ""
    return f"{str(then.get('system', ''))[:60]}, {count(cores, 'core')}, {memory / 1e9:.0f} GB of memory"


def _recorded(run: Run) -> dict[str, object]:
    record = (read_record(run.folder.runner) or {}).get("machine")
    return record if isinstance(record, dict) else {}


def _winner(run: Run) -> str:
    winner = read_winner(run.folder)
    if winner is None:
        return ""
    expect = f" {expected_words(winner)}".rstrip()
    when = time.strftime("%Y-%m-%d", time.localtime(winner.chosen_at))
    return f"Trial {winner.trial} was chosen as the winner on {when}.{expect}"


def done_words(run: Run) -> str:
    """Return how far the study is, in a few words."""
    done = len(counted(run.study.trials))
    return f"{run.status.state.value}, {count(done, 'trial')}"

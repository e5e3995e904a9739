"""What several studies asked for and came to, side by side, and where comparing them is unfair."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial

from storage.winner import read_winner
from tuning.analysis.outcomes import finite_ranked, value_of
from tuning.analysis.summary import StudySummary, study_summary
from tuning.analysis.words import count, three_digits, whole
from tuning.compared_table import ComparedRow, cell_words
from tuning.launch import Run
from tuning.mapping import known_spec
from tuning.reevaluation_choice import MeasuredAgain, measured_again
from tuning.spec import StudySpec

FEWER = 0.8  # with less than this share of the most trials, a study had fewer draws from which to be best

_LABELS = {
    "env.id": "Environment",
    "algorithm": "Algorithm",
    "policy": "Policy",
    "budget.n_timesteps": "Steps a trial",
    "budget.trial_seconds": "Seconds a trial",
    "budget.n_trials": "Trials asked for",
    "budget.n_evaluations": "Evaluations a trial",
    "budget.n_eval_episodes": "Episodes an evaluation",
    "budget.timeout_s": "Time limit of the study, s",
    "sampler.name": "Sampler",
    "sampler.n_startup_trials": "Sampler: random trials first",
    "pruner.name": "Pruner",
    "pruner.n_startup_trials": "Pruner: complete trials first",
    "n_train_envs": "Training envs",
    "n_eval_envs": "Evaluation envs",
    "n_workers": "Workers",
    "objective.last_k": "Value: mean of the last evaluations",
    "objective.n_seeds": "Trainings a trial",
}
_ALWAYS = (
    *("env.id", "algorithm", "budget.n_timesteps", "budget.n_trials", "budget.n_eval_episodes"),
    *("sampler.name", "pruner.name"),
)
_APART = ("name", "search_space", "hyperparameters", "first_configurations", "maximize", "retention")
_TOLD = (
    "env.",
    "algorithm",
    "policy",
    "budget.n_timesteps",
)  # what a mapping says of a study that is not ours


@dataclass(frozen=True)
class ComparedStudy:
    """One study that takes part, read once."""

    name: str  # that people see
    run: Run
    asked: dict[str, Any]  # the request, flat, by place; of a study that is not ours what a person said of it
    summary: StudySummary
    best: FrozenTrial | None  # of the study's own
    again: MeasuredAgain | None  # what the best trial gave when it was trained again
    chosen: int | None  # the trial that a person chose


def compared_study(name: str, run: Run) -> ComparedStudy:
    """Read what the comparison needs of one study."""
    summary = study_summary(run.study.trials, maximize=run.study.maximize)
    own = [t for t in run.study.trials if t.number == summary.best_number]
    best = next(iter(finite_ranked(own, maximize=run.study.maximize)), None)
    winner = read_winner(run.folder)
    return ComparedStudy(
        name=name,
        run=run,
        asked=_asked(run),
        summary=summary,
        best=best,
        again=measured_again(run.folder, best.number) if best else None,
        chosen=winner.trial if winner else None,
    )


def result_rows(studies: Sequence[ComparedStudy]) -> list[ComparedRow]:
    """Return what each study came to: its trials, its best value, and that value measured again."""
    many: dict[str, list[Any]] = {
        "State": [s.run.status.state.value for s in studies],
        "Best value": [value_of(s.best) if s.best else None for s in studies],
        "Best trial": [s.best.number if s.best else None for s in studies],
        "Best, trained again": [s.again.mean if s.again else None for s in studies],
        "Runs of that": [s.again.n_runs if s.again else None for s in studies],
        "Chosen trial": [s.chosen for s in studies],
        "Complete trials": [s.summary.n_complete for s in studies],
        "Pruned trials": [s.summary.n_pruned for s in studies],
        "Failed trials": [s.summary.n_failed for s in studies],
        "Imported trials": [s.summary.n_imported for s in studies],
    }
    optional = ("Best, trained again", "Runs of that", "Chosen trial", "Imported trials")
    rows = [ComparedRow(label, tuple(values)) for label, values in many.items()]
    return [row for row in rows if row.label not in optional or any(row.values)]


def request_rows(studies: Sequence[ComparedStudy]) -> list[ComparedRow]:
    """Return what was asked for: always the few things that matter most, else only what differs."""
    places = list(dict.fromkeys([*_ALWAYS, *(place for s in studies for place in s.asked)]))
    rows = [
        (place, ComparedRow(_label(place), tuple(s.asked.get(place) for s in studies))) for place in places
    ]
    direction = ["higher is better" if s.run.study.maximize else "lower is better" for s in studies]
    ours = [s for s in studies if s.run.spec is not None]  # what nobody knows of the others differs nowhere
    shown = [
        row for place, row in rows if place in _ALWAYS or len({repr(s.asked.get(place)) for s in ours}) > 1
    ]
    return [*shown, ComparedRow("Direction", tuple(direction))]


def answer(studies: Sequence[ComparedStudy]) -> str:
    """Return in one sentence what each study reached, the best first; empty while none has a value."""
    maximize = studies[0].run.study.maximize if studies else True
    known = [s for s in studies if s.best is not None and s.run.study.maximize == maximize]
    if not known:
        return ""
    ordered = sorted(known, key=lambda s: _value(s) * (-1 if maximize else 1))
    said = [
        f"{s.name} reached {three_digits(_value(s))}"
        + (f" ({three_digits(s.again.mean)} trained again)" if s.again else "")
        for s in ordered
    ]
    without = [s.name for s in studies if s.best is None]
    missing = f"; {_and(without)} {'has' if len(without) == 1 else 'have'} no value yet" if without else ""
    return f"{_and(said)}{missing}."


def unfair(studies: Sequence[ComparedStudy]) -> list[str]:
    """Return why these studies do not compare, one sentence each, the gravest first; none where they do."""
    return [*_other_question(studies), *_other_measure(studies), *_other_effort(studies)]


def _other_question(studies: Sequence[ComparedStudy]) -> Iterator[str]:
    if len({s.run.study.maximize for s in studies}) > 1:
        first = "higher" if studies[0].run.study.maximize else "lower"
        yield (
            f"The studies run in different directions. Plots show those where {first} is better, like "
            f"{studies[0].name}."
        )
    places = sorted({place for s in studies for place in s.asked if place.startswith("env.")})
    if different := [place for place in places if _differ(studies, place)]:
        if "env.id" in different:
            yield f"Different environments: {_each(studies, 'env.id')}. Their returns mean different things."
        else:
            what = ", ".join(_label(place) for place in different)
            yield f"The environment is set up differently ({what}). The same return may mean another skill."
    unknown = [s.name for s in studies if not s.asked]
    if unknown:
        yield (
            f"Of {_and(unknown)} only the trials are known, not the environment or the budget. Make sure "
            "that it trained the same."
        )


def _other_measure(studies: Sequence[ComparedStudy]) -> Iterator[str]:
    for place in ("budget.n_timesteps", "budget.trial_seconds"):
        if _differ(studies, place):
            yield (
                f"Different budgets a trial: {_each(studies, place)} "
                f"{'steps' if place.endswith('steps') else 'seconds'}. More training gives better values by "
                "itself."
            )
    if _differ(studies, "budget.n_eval_episodes"):
        yield (
            f"Different evaluations: {_each(studies, 'budget.n_eval_episodes')} episodes each. Fewer are "
            "noisier, and the best of noisier values flatters more. Re-evaluation measures the winners alike."
        )
    for place in ("objective.last_k", "objective.n_seeds"):
        if _differ(studies, place):
            yield f"The value is measured differently. {_label(place)}: {_each(studies, place)}."


def _other_effort(studies: Sequence[ComparedStudy]) -> Iterator[str]:
    counted = [s.summary.n_counted for s in studies]
    most = max(counted, default=0)
    fewer = [s for s, n in zip(studies, counted, strict=True) if n < FEWER * most]
    if fewer:
        each = _and([f"{s.name} has {whole(s.summary.n_counted)}" for s in fewer])
        yield (
            f"Fewer trials: {each} of {whole(most)}. The best of more trials is better by itself; compare "
            "the lines at the same number of trials."
        )
    for study in studies:
        if study.summary.n_imported:
            yield (
                f"{study.name} began with {count(study.summary.n_imported, 'imported trial')}. They guided "
                "its search and are not counted here."
            )
    running = [s.name for s in studies if s.run.status.state.alive]
    if running:
        yield f"{_and(running)} {'is' if len(running) == 1 else 'are'} still running."


def _value(study: ComparedStudy) -> float:
    value = value_of(study.best) if study.best else None
    assert value is not None
    return value


def _asked(run: Run) -> dict[str, Any]:
    spec = run.spec or known_spec(run)
    if spec is None:
        return {}
    flat = dict(_flat("", _dump(spec)))
    if run.spec is not None:
        return flat
    return {place: value for place, value in flat.items() if place.startswith(_TOLD)}


def _dump(spec: StudySpec) -> dict[str, Any]:
    return {key: value for key, value in spec.model_dump(mode="json").items() if key not in _APART}


def _flat(prefix: str, data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value


def _label(place: str) -> str:
    """Return what people call a place of the request."""
    if place in _LABELS:
        return _LABELS[place]
    group, _, field = place.rpartition(".")
    words = field.removeprefix("n_").replace("_", " ")
    where = {"env.kwargs": "Environment", "env": "Environment"}.get(
        group, group.replace("_", " ").capitalize()
    )
    return f"{where}: {words}" if where else words.capitalize()


def _differ(studies: Sequence[ComparedStudy], place: str) -> bool:
    """Say whether studies of which something is known differ there."""
    return (
        len({repr(s.asked.get(place)) for s in studies if s.asked and (s.run.spec or place in s.asked)}) > 1
    )


def _each(studies: Sequence[ComparedStudy], place: str) -> str:
    return _and([f"{s.name} {cell_words(s.asked.get(place))}" for s in studies if s.asked])


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))

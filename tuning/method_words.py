"""How a request searches, prunes and judges, in a few words each."""

from tuning import pruner_choice, sampler_choice
from tuning.analysis.words import count, three_digits, whole
from tuning.spec import StudySpec


def sampler_words(spec: StudySpec) -> str:
    """Return who proposes configurations: "TPE, 10 random trials first, 15 % at random throughout"."""
    asked = spec.sampler
    words = [sampler_choice.LABELS[asked.name]]
    if asked.name == "nsga2":
        words.append(f"generations of {whole(max(2, asked.n_startup_trials))}")
    elif asked.name in sampler_choice.WITH_STARTUP:
        words.append(f"{count(asked.n_startup_trials, 'random trial')} first")
    if asked.name == "grid":
        words.append(f"up to {whole(asked.grid_levels)} values a parameter")
    if asked.name not in sampler_choice.WITHOUT_MODEL and asked.random_share:
        words.append(f"{100 * asked.random_share:.3g} % at random throughout")
    return ", ".join(words)


def pruner_words(spec: StudySpec) -> str:
    """Return what cuts trials short, and from when on: "Median, after 10 complete trials, ..."."""
    asked = spec.pruner
    if asked.name == "none":
        return "none"
    words = [pruner_choice.LABELS[asked.name]]
    match asked.name:
        case "percentile":
            words.append(f"the best {asked.percentile:g} % go on")
        case "successive_halving" | "hyperband":
            words.append(f"1 in {whole(asked.reduction_factor)} goes on")
        case "patient":
            words.append(f"{count(asked.patience, 'evaluation')} without a gain allowed")
        case "wilcoxon":
            words.append(f"p below {asked.p_threshold:g}")
        case "threshold" if asked.threshold is not None:
            words.append(f"at {three_digits(asked.threshold)}")
    if asked.name in pruner_choice.WITH_STARTUP:
        words.append(f"after {count(asked.n_startup_trials, 'complete trial')}")
    if asked.name in pruner_choice.WITH_WARMUP and asked.warmup_fraction:
        words.append(f"never in the first {asked.warmup_fraction:.0%} of a training".replace("%", " %"))
    return ", ".join(words)


def objective_words(spec: StudySpec) -> str:
    """Return what makes a trial good: the mean return, over what, and what is weighed against it."""
    objective = spec.objective
    last = "last evaluation" if objective.last_k == 1 else f"last {whole(objective.last_k)} evaluations"
    words = f"mean return of the {last}"
    if objective.n_seeds > 1:
        words += f", averaged over {whole(objective.n_seeds)} trainings"
    if objective.second == "training_time":
        words += "; against the training time"
    elif objective.second == "steps_to_threshold" and objective.threshold is not None:
        words += f"; against the env steps to a mean return of {three_digits(objective.threshold)}"
    return words

"""The command line that asks a re-evaluation's question again."""

from tuning.reevaluation import Reevaluation


def reevaluate_options(question: Reevaluation) -> str:
    """Return the options of `python -m tuning reevaluate` that ask the same again, on fresh seeds.

    Its trials are named one by one: which are the best may have changed since.
    """
    trials = [c.trial for c in question.candidates if not c.is_baseline and c.trial is not None]
    kinds = {c.kind for c in question.candidates}
    options = [f"--trial {number}" for number in trials] or ["--top 0"]
    if "defaults" not in kinds:
        options.append("--no-defaults")
    if "tuned" not in kinds:
        options.append("--no-tuned")
    if question.mode == "weights":
        return " ".join([*options, "--mode weights", f"--episodes {question.n_episodes}"])
    options += [f"--seeds {question.n_seeds}", f"--episodes {question.n_episodes}"]
    if question.n_timesteps != question.study_timesteps:
        options.append(f"--timesteps {question.n_timesteps}")
    if not question.racing:
        options.append("--no-racing")
    return " ".join(options)

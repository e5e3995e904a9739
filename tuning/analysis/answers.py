"""What a page answers in one sentence, for pages and reports alike: plain text, not yet escaped."""

from tuning.analysis.history import HistoryInfo
from tuning.analysis.importance import ImportanceInfo
from tuning.analysis.words import count, three_digits


def history_answer(info: HistoryInfo, *, imported: HistoryInfo | None = None) -> str | None:
    """Return the answer about a study's own trials, or None while none of them is complete.

    `imported` is the history of the trials that it took over from the study that it continues.
    """
    theirs = ""
    if imported and imported.best_value is not None:
        reached = three_digits(imported.best_value)
        theirs = f" Best of the imported: {reached} (trial {imported.best_number})."
    if info.best_value is None or info.best_number is None:
        return f"No trial of its own is complete yet.{theirs}" if theirs else None
    later = [n for n, _ in info.complete + info.pruned if n > info.best_number]
    after = f"after {count(info.n_ended, 'trial')}{' of its own' if theirs else ''}"
    since = f"nothing better for {len(later)}" if later else "and it is the newest"
    again = {n: f", trial {trial} of {study} again" for n, study, trial in info.reruns}
    best = f"trial {info.best_number}{again.get(info.best_number, '')}"
    sentence = f"Best so far: {three_digits(info.best_value)} ({best}) {after}; {since}."
    others = [(name, value) for number, name, value in info.baselines if number != info.best_number]
    if others:
        sentence += f" {others[0][0]}: {three_digits(others[0][1])}."
    return sentence + theirs


def importance_answer(info: ImportanceInfo) -> str | None:
    """Return which parameters matter, in one sentence; None while it cannot be told."""
    if len(info.importances) < 2:
        return None
    (first, share), (second, rest) = info.importances[:2]
    sentence = f"{first} matters most ({share:.0%} of the importance), then {second} ({rest:.0%})"
    guide = " Below 30 complete trials this is a rough guide." if info.n_trials < 30 else ""
    return f"{sentence}, after {count(info.n_trials, 'complete trial')}.{guide}"

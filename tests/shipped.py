"""What tests must know of the recorded example: which of its trials are the best, and what they reached.

Read from its files without Optuna, so that a new recording changes no test. test_examples.py holds that the
kept policies are those of the best trials, in this order, and which of them its re-evaluation finds best.
"""

import json
from pathlib import Path

RECORDED = Path(__file__).resolve().parents[1] / "examples" / "pendulum-recorded"

N_TRIALS: int = json.loads((RECORDED / "spec.json").read_text())["budget"]["n_trials"]

KEPT: dict[int, dict] = {
    int(path.parent.name): json.loads(path.read_text()) for path in RECORDED.glob("weights/*/request.json")
}
RANKED = sorted(KEPT, key=lambda number: KEPT[number]["value"], reverse=True)[:5]  # the defaults are kept too
BEST, SECOND, THIRD, FOURTH, FIFTH = RANKED

BEST_AGAIN = 53  # the trial that its recorded re-evaluation finds best


def reached(number: int) -> str:
    """Return what a kept trial reached in the search, as pages write it: -154."""
    return f"{KEPT[number]['value']:.3g}"

"""What to expect of the trial that a person chose, in words: of what, and after how much training."""

from storage.winner import Winner
from tuning.analysis.words import three_digits, whole


def expected_words(winner: Winner) -> str:
    """Return the honest number for a chosen trial as one plain sentence; empty where there is none."""
    if winner.expected is None:
        return ""
    about = f"Expect about {three_digits(winner.expected)}"
    if winner.mode == "weights":
        return f"{about} from this trained agent."
    if winner.n_timesteps is not None:
        return f"{about} after {whole(winner.n_timesteps)} steps."
    return f"{about}."

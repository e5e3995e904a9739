"""What to expect of a chosen trial says of what the number holds."""

import pytest

from storage.winner import Winner
from tuning.analysis.winner_words import expected_words
from tuning.analysis.words import THIN


@pytest.mark.parametrize(
    ("winner", "said"),
    [
        (Winner(3, None, None, 1.0, n_timesteps=80_000), ""),
        (Winner(3, -152.34, None, 1.0), "Expect about -152."),
        (Winner(3, -152.34, "r", 1.0, mode="retrain"), "Expect about -152."),
        (
            Winner(3, -152.34, "r", 1.0, mode="retrain", n_timesteps=80_000),
            "Expect about -152 after 80 000 steps.",
        ),
        (Winner(3, -152.34, "r", 1.0, mode="weights"), "Expect about -152 from this trained agent."),
    ],
)
def test_the_number_comes_with_what_it_holds_for(winner, said):
    assert expected_words(winner).replace(THIN, " ") == said

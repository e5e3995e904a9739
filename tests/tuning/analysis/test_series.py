import pytest

from tests.tuning.analysis.test_look import contrast
from tuning.analysis.look import palette
from tuning.analysis.series import MOST, series_look


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_stand_out_from_the_background(theme):
    for place in range(MOST):
        assert contrast(series_look(place, theme=theme).colour, palette(theme).background) >= 3

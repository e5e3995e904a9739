"""The four steps of the guide: what to decide, why, a picture from real data, and where to click."""

import streamlit as st

from pages.components import frame, plot
from tuning.guide import budgets, concentration, evaluation_noise, pictures, pruning, scales
from tuning.guide.text import part

_WARMUPS = {0.0: "At once", 0.25: "After a quarter", 1 / 3: "After a third", 0.5: "After half"}


def draw_space() -> None:
    """Step 1: the search space."""
    st.subheader("1. Define the search space", anchor="space")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(part("space"))
        frame.link("launch", "Search space, on Launch", anchor="space")
        frame.link("saturation")
    with right:
        plot.draw(
            scales.scales_figure(pictures.scales(), theme=frame.theme()),
            "guide-scales",
            caption="Each tick is one random trial, drawn by Optuna. The dashed line parts the two decades.",
            alt="Random draws of a learning rate on a linear and on a log scale",
        )


def draw_objective() -> None:
    """Step 2: what a trial is judged by."""
    st.subheader("2. Define the objective", anchor="objective")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(part("objective"))
        frame.link("launch", "Budget and objective, on Launch", anchor="budget")
        frame.link("reevaluation")
    with right:
        plot.draw(
            evaluation_noise.noise_figure(pictures.noise(), theme=frame.theme()),
            "guide-noise",
            caption="Dots: evaluations of one and the same agent, drawn from episodes that it really played. "
            "Bars: one standard error to each side of its mean.",
            alt="Spread of evaluations with 1, 3, 10 and 30 episodes",
        )


def draw_method() -> None:
    """Step 3: sampler and pruner."""
    st.subheader("3. Choose a sampler and a pruner", anchor="method")
    left, right = st.columns(2, gap="medium")
    with left:
        info = pictures.concentration()
        st.markdown(part("sampler"))
        plot.draw(
            concentration.concentration_figure(info, theme=frame.theme()),
            "guide-concentration",
            caption=f"The recorded example: {info.n_startup} random trials, then TPE. "
            "Solid lines are the declared bounds.",
            alt="Learning rates that TPE tried, over the trials",
        )
    with right:
        st.markdown(part("pruner"))
        _draw_pruning()
    frame.link("launch", "Sampler and pruner, on Launch", anchor="method")


@st.fragment
def _draw_pruning() -> None:
    """Another choice redraws only this."""
    chosen = st.segmented_control(
        "Trials may be pruned",
        list(_WARMUPS),
        default=1 / 3,
        format_func=lambda share: _WARMUPS[share],
        key="guide-warmup",
        required=True,
        help="How much of each training the pruner leaves alone.",
    )
    info = pictures.pruning(chosen)
    plot.draw(
        pruning.pruning_figure(info, theme=frame.theme()),
        "guide-pruning",
        caption=f"Optuna's median pruner, replayed on {len(info.trainings)} trainings that were recorded to "
        "their end. Dotted: what was not trained. In the grey band nothing is pruned.",
        alt="Learning curves of trials, and where a median pruner ends them",
    )


def draw_launch() -> None:
    """Step 4: run it, and spend the steps well."""
    st.subheader("4. Launch, and get a coffee", anchor="launch")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(part("launch"))
        for page in ("live", "reevaluation", "rollouts"):
            frame.link(page)
    with right:
        info = pictures.budgets()
        plot.draw(
            budgets.budgets_figure(info, theme=frame.theme()),
            "guide-budgets",
            caption=f"Random searches drawn from {info.n_configurations} recorded trainings of random "
            "configurations. Stars: median of what the winner reaches; bars hold 90 % of the searches.",
            alt="What searches with short and with long trials find",
        )

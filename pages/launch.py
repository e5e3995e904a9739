"""What do I want to search?"""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import (
    budget_check,
    continuing,
    duplicating,
    environment_card,
    environment_choice,
    frame,
    launch_bar,
    launch_budget,
    launch_first,
    launch_fixed,
    launch_form,
    launch_method,
    launch_objective,
    launch_running,
    launch_yaml,
    space_choice,
)
from pages.components.launch_fields import PREFIX
from tuning import checks, examples
from tuning.access import is_read_only
from tuning.algorithms import algorithm
from tuning.estimate import usable_cores
from tuning.spec import SpecError, StudySpec, build_spec

N_CORES = usable_cores()


def draw_advice(spec: StudySpec, places: dict[str, DeltaGenerator]) -> None:
    """Put each piece of advice beside the fields it is about."""
    n_bytes = environment_card.observation_bytes(spec.env)
    for advice in checks.warnings(spec, n_cores=N_CORES, observation_bytes=n_bytes):
        place = places.get(advice.field.split(".")[0], places["n_workers"])
        place.caption(
            f":orange[:material/warning:] {frame.escape(launch_form.advice_in_form_words(advice.text))}"
        )


frame.open_page("Launch", "What do I want to search?", icon=":material/rocket_launch:")
if is_read_only():
    st.info(
        "This server only shows studies: none can be launched from here.",
        icon=":material/visibility:",
    )
    st.page_link("app.py", label="All studies", icon=":material/science:")
    st.stop()
parent = continuing.parent()
request = continuing.first_request(parent) if parent else duplicating.first_request()
if request is not None:
    launch_yaml.fill(request)
elif space_choice.SPACE not in st.session_state:
    launch_yaml.fill(examples.pendulum_story().model_copy(update={"n_workers": min(2, N_CORES)}))

banner = st.container()
columns = st.columns([2, 2, 1])
with columns[0]:
    environment_choice.draw_environment_choice()
columns[1].text_input(
    "Name", key=PREFIX + "name", persist_state="session", help="Four letters or digits are added to it."
)
with columns[2]:
    launch_form.draw_algorithm(space_choice.follow_algorithm)
about_env = st.container()
environment_choice.draw_settings()
bar = st.container()
st.subheader("Search space", anchor="space")
space_place = st.container()
with space_place:
    space = space_choice.draw_space()
    launch_first.draw(space.parameters)
    launch_first.draw_queue(space.parameters)
    first_place = st.container()
st.subheader("Budget", anchor="budget")
launch_budget.draw()
budget_place = st.container()
st.subheader("Objective", anchor="objective")
launch_objective.draw()
objective_place = st.container()
st.subheader("Sampler and pruner", anchor="method")
launch_method.draw(space.parameters)
method_place = st.container()
st.subheader("Workers", anchor=False)
launch_running.draw(N_CORES)
workers_place = st.container()
with st.expander("Fixed hyperparameters", icon=":material/tune:"):
    launch_fixed.draw()
    fixed_place = st.container()

spec = None
data, field_faults = launch_form.data_from_fields(st.session_state.to_dict())
faults = [*field_faults]
in_table = [*space.faults]
with about_env:
    policy, env_faults = environment_card.draw_environment(data["env"], algorithm(data["algorithm"]))
try:
    spec = build_spec(
        {**data, "policy": policy, "search_space": [parameter.model_dump() for parameter in space.parameters]}
    )
except SpecError as error:
    about_rows, others = space.split(error.faults)
    in_table += about_rows
    if not (in_table and not space.parameters):  # then it is empty because no row is right
        faults += map(launch_form.in_form_words, others)
space.draw_faults(in_table)
if in_table:
    where = "fault" if len(in_table) == 1 else "faults"
    faults.append(f"Search space: {len(in_table)} {where}, named below the table.")
faults += env_faults
inherited = None
if parent is not None:
    inherited, reasons = continuing.read(parent, spec)
    faults += reasons
    with banner:
        continuing.draw(parent, inherited)
with bar:
    if faults:
        launch_bar.draw_faults(faults)
    launch_bar.draw_launch_button(None if faults else spec, continues=inherited)
    budget_check.draw(None if faults else spec)
if spec is not None:
    with first_place:
        launch_first.draw_outcome(spec)
    with budget_place:
        launch_budget.draw_outcome(spec)
    with objective_place:
        launch_objective.draw_outcome(spec)
    with method_place:
        launch_method.draw_outcome(spec, theme=frame.theme())
    places = {"search_space": space_place, "budget": budget_place, "hyperparameters": fixed_place}
    places |= {
        "objective": objective_place,
        "sampler": method_place,
        "pruner": method_place,
        "n_workers": workers_place,
        "trainer": workers_place,
    }
    draw_advice(spec, places)
with st.expander("The request as YAML", icon=":material/code:"):
    launch_yaml.draw(spec)

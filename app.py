"""What studies are there, and how is each of them doing?"""

from pages.components import frame

frame.open_page(
    "Studies", "What studies are there, and how is each of them doing?", icon=":material/science:"
)

"""What do I want to search?"""

from pages.components import frame

frame.open_page("Launch", "What do I want to search?", icon=":material/rocket_launch:")

"""How is it going?"""

from pages.components import frame

frame.open_page("Live", "How is it going?", icon=":material/monitoring:")
study = frame.require_study()

"""What Sphinx is told. A warning is an error (`docker/docs`): links and anchors hold."""

project = "deskgate"
html_title = project
extensions = ["myst_parser"]
root_doc = "index"
html_theme = "furo"
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline"]
smartquotes = False  # --name is an option
# Nothing of the machine that builds it, and no copies of the sources.
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False

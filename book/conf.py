"""Settings of the website. `make book` stages the pages (tools/book.py) and builds them from here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # coursebook
sys.path.insert(0, str(Path(__file__).parent.parent))  # seglib

# The one line that a fork changes: where the course lies. Launch links, clone commands and the pages' links to
# the repository are made from it. Empty, the pages have no launch links.
REPOSITORY = ""
BRANCH = "main"

project = "Image segmentation, from edges to Mask R-CNN"
author = "The segmentation course maintainers"
project_copyright = author + " · texts and figures CC BY 4.0, code MIT"
language = "en"
html_title = "Image segmentation"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "coursebook",
]
course_repository, course_branch = REPOSITORY, BRANCH
exclude_patterns = ["originals"]

# Notebooks come with their outputs: nothing is executed here.
nb_execution_mode = "off"
nb_merge_streams = True
nb_code_prompt_show = "Show the {type}"
nb_code_prompt_hide = "Hide the {type}"
nb_render_markdown_format = "commonmark"
myst_enable_extensions = ["amsmath", "attrs_block", "dollarmath"]
myst_heading_anchors = 3
myst_heading_slug_func = "coursebook.markup.slug"

# In docstrings a name between single backticks is code.
default_role = "code"
autodoc_typehints = "none"
add_function_parentheses = False
napoleon_custom_sections = ["Shape", "Input and output"]
napoleon_google_docstring = False
napoleon_use_rtype = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_selector = "div.highlight pre"

html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "logo": {"text": "Image segmentation"},
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navigation_depth": 2,
    "search_bar_text": "Search the course",
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "back_to_top_button": False,
}
html_context = {"default_mode": "auto"}
html_sidebars = {name: [] for name in ("index", "glossary", "measured", "teachers", "run", "server")}
html_static_path = ["static"]
html_favicon = "static/favicon.svg"
html_css_files = ["course.css"]
html_js_files = [("course.js", {"defer": "defer"})]
html_math_renderer = "katex"
html_copy_source = False
html_use_index = False
html_show_sourcelink = False
html_show_sphinx = False

"""The website's own extension: launch links, mathematics without another host, and HTML that everyone can use."""

from coursebook import docstrings, launch, markup, mathematics


def setup(app):
    app.add_config_value("course_repository", "", "env", str)
    app.add_config_value("course_branch", "main", "env", str)
    app.connect("source-read", launch.fill_in)
    app.connect("html-page-context", markup.improve)
    app.connect("autodoc-process-docstring", docstrings.keep_bars)
    mathematics.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Formulas with KaTeX out of the site's own files: drawn for the eye, and MathML for screen readers."""

from docutils import nodes

SCRIPT, STYLE = "katex/katex.min.js", "katex/katex.min.css"


def setup(app):
    app.add_html_math_renderer("katex", (inline, None), (display, None))
    app.connect("html-page-context", load_katex)


def inline(self, node):
    self.body.append(self.starttag(node, "span", "", CLASS="math") + self.encode(node.astext()) + "</span>")
    raise nodes.SkipNode


def display(self, node):
    self.body.append(self.starttag(node, "div", CLASS="math") + self.encode(node.astext()) + "</div>\n")
    raise nodes.SkipNode


def load_katex(app, pagename, templatename, context, doctree):
    """Only pages with formulas load KaTeX; static/course.js calls it."""
    if doctree is not None and any(doctree.findall(lambda it: isinstance(it, nodes.math | nodes.math_block))):
        app.add_css_file(STYLE)
        app.add_js_file(SCRIPT, defer="defer", priority=400)  # before course.js

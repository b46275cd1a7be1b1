"""Pages of the API: one a module of seglib, with what the module says is public; autodoc fills them."""

import inspect
from importlib import import_module

import seglib


def public(module):
    """(kind, full name) of the functions and classes that a module offers, in the order of their names."""
    names = getattr(module, "__all__", None) or [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_") and str(getattr(thing, "__module__", "")).startswith(module.__name__)
    ]
    things = [(name, getattr(module, name)) for name in sorted(names, key=str.casefold)]
    return [
        ("autoclass" if inspect.isclass(thing) else "autofunction", f"{module.__name__}.{name}")
        for name, thing in things
        if inspect.isclass(thing) or inspect.isfunction(thing)
    ]


def pages():
    """File name -> reStructuredText, for the folder `reference`."""
    found = {"index.rst": index()}
    for name in seglib.__all__:
        module = import_module(f"seglib.{name}")
        lines = [heading(module.__name__), f".. automodule:: {module.__name__}", "   :no-index:", ""]
        for directive, full in public(module):
            lines += [f".. {directive}:: {full}", *(["   :members:"] if directive == "autoclass" else []), ""]
        found[f"{name}.rst"] = "\n".join(lines)
    return found


def index():
    rows = []
    for name in seglib.__all__:
        summary = inspect.getdoc(import_module(f"seglib.{name}")).split("\n\n")[0]
        rows += [f":doc:`seglib.{name} <{name}>`", f"   {' '.join(summary.split())}", ""]
    intro = "What two or more lessons share is in this small library. It is meant to be read."
    toctree = [".. toctree::", "   :hidden:", "", *(f"   seglib.{name} <{name}>" for name in seglib.__all__), ""]
    return "\n".join([heading("seglib"), intro, "", *rows, *toctree])


def heading(text):
    return f"{text}\n{'=' * len(text)}\n"

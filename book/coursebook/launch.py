"""Links that open a lesson elsewhere, all made from the repository's address alone."""

import re
from urllib.parse import quote, urlsplit

LAUNCH = re.compile(r"\{\{ launch (\w+) \}\}")
UNKNOWN = "ADDRESS-OF-THE-COURSE"  # stands in commands where a fork has not set its address
BINDER_HOSTS = {"github.com": "gh", "gitlab.com": "gl"}


def binder(repository, branch, notebook):
    """Address that opens ``notebook`` (a path in the repository) in JupyterLab on mybinder.org.

    GitHub and GitLab have their own short forms; any other git address is passed on whole.
    """
    parts = urlsplit(repository)
    path = parts.path.strip("/").removesuffix(".git")
    if parts.netloc == "gitlab.com":
        path = quote(path, safe="")
    elif parts.netloc not in BINDER_HOSTS:
        path = quote(repository, safe="")
    kind = BINDER_HOSTS.get(parts.netloc, "git")
    return f"https://mybinder.org/v2/{kind}/{path}/{branch}?urlpath={quote(f'lab/tree/{notebook}', safe='')}"


def colab(repository, branch, notebook):
    """Address that opens ``notebook`` in Colab; None if the repository is not on GitHub: Colab reads no other."""
    parts = urlsplit(repository)
    if parts.netloc != "github.com":
        return None
    path = parts.path.strip("/").removesuffix(".git")
    return f"https://colab.research.google.com/github/{path}/blob/{branch}/{notebook}"


def links(repository, branch, stem):
    """The line of Markdown links that stands at the top of the lesson ``stem``."""
    notebook = f"notebooks/{stem}.ipynb"
    found = [f"[at home](../run.md) as `{notebook}`"]
    if repository:
        found.append(f"[in Binder]({binder(repository, branch, notebook)})")
        if address := colab(repository, branch, notebook):
            found.append(f"[in Colab]({address})")
    return "Run it " + ", ".join(found) + f", or {{download}}`download the notebook <../originals/{stem}.ipynb>`."


def fill_in(app, docname, source):
    """Put addresses where a page says ``{{ repository }}``, ``{{ branch }}`` or ``{{ launch 08_unet }}``."""
    repository, branch = app.config.course_repository.rstrip("/"), app.config.course_branch
    text = source[0].replace("{{ repository }}", repository or UNKNOWN).replace("{{ branch }}", branch)
    source[0] = LAUNCH.sub(lambda found: links(repository, branch, found[1]), text)

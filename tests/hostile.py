"""What must not run when a file is read."""


class Hostile:
    """Unpickled, it creates the file ``path``."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")

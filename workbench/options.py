"""What can be said of a data set on the command line, alike for every command that reads one."""

OPTIONS = ("images", "masks", "val", "split", "classes", "foreground", "threshold", "numbered", "skip_unlabelled")


def add_options(parser):
    """Add to a command what can be said of a data set."""
    group = parser.add_argument_group("the data set", "alike for all commands that read one")
    group.add_argument("--images", metavar="DIR", help="folder of the pictures: a path, or its name in the set")
    group.add_argument("--masks", metavar="DIR", help="folder of the masks, where there are several, likewise")
    group.add_argument("--val", metavar="DIR", nargs="+", help="another set to score on; or its pictures and masks")
    group.add_argument("--split", help="the part that is meant: train, val, test, or what is held-back without val")
    group.add_argument("--classes", metavar="FILE", help="a class table (names, label,name or name,r,g,b), or a,b,c")
    group.add_argument("--foreground", type=positive, help="value of class 1 in black-and-white masks, such as 255")
    group.add_argument("--threshold", type=positive, help="least value of class 1 where edges are grey, such as 128")
    group.add_argument("--numbered", action="store_true", help="the values of masks number objects of one class")
    group.add_argument("--skip-unlabelled", action="store_true", help="leave out pictures without a mask")


def positive(text):
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def said(arguments):
    """What the arguments of a command say of a data set."""
    return {name: getattr(arguments, name) for name in OPTIONS if getattr(arguments, name, None) not in (None, False)}

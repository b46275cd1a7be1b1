"""Bring an annotation tool's export into a form that the other commands read.

Read are COCO's JSON, labelme's, Label Studio's and VIA's, YOLO's and VOC's folders; written are images/, masks/,
classes.txt, and objects.json (COCO). Splits are kept. Of objects that overlap the smallest has the pixel.
Of a folder of TIFF stacks or MATLAB's maps, these are written as PNG and nothing else.
"""

from pathlib import Path


def add_parser(verbs):
    """Add ``convert`` to the verbs of ``seglib data``."""
    convert = verbs.add_parser("convert", help="make masks of an annotation tool's export", description=__doc__)
    convert.add_argument("folder", help="the unpacked export, or its JSON file")
    convert.add_argument("out", help="folder to make")
    convert.add_argument("--images", metavar="FOLDER", help="where the pictures are, if not in the export")


def run(arguments):
    """Convert, say what was written and what could not be taken as it is; return 0."""
    from workbench.formats import read, recognise
    from workbench.formats.packed import unpack
    from workbench.formats.writing import write

    if not recognise(Path(arguments.folder))[0] and (count := unpack(arguments.folder, arguments.out)):
        print(f"{count} pictures of stacks or MATLAB's files -> {arguments.out}. Name them with --images and --masks")
        return 0
    kind, classes, annotated, notes = read(arguments.folder, arguments.images)
    for split, content in write(annotated, classes, arguments.out, notes).items():
        print(f"{split or 'all'}: {len(content['images'])} pictures, {len(content['annotations'])} objects")
    for note, count in (+notes).items():
        print(f"note: {count} {note}")
    print(f"{kind} -> {arguments.out}. Look at it with: seglib data check {arguments.out}")
    return 0

"""Write a run's network as one file that needs nothing of this course.

A picture float32 (1, 3, H, W) in 0..1 comes in, of any size from 64 px on; probabilities (1, classes, H, W) come out;
names and colours of the classes are in the metadata. The file is compared with torch on a photo before it is kept.
Beside ONNX comes run_onnx.py, which needs onnxruntime and NumPy alone.
"""

SUFFIXES = {"onnx": ".onnx", "torchscript": ".pt"}
FLIPPED = 0.01  # share of SegNet's pixels that may differ: where rounding moves a maximum, its unpooling moves along


def add_parser(subparsers):
    """Add ``export`` to the command line."""
    parser = subparsers.add_parser("export", help="write a network as ONNX or TorchScript", description=__doc__)
    parser.add_argument("run", help="folder of a run, or its weights.safetensors")
    parser.add_argument("--to", choices=[*SUFFIXES, "executorch"], default="onnx", help="the file's format")
    parser.add_argument("--out", metavar="FILE", help="default: model.onnx or model.pt in the run's folder")
    parser.add_argument("--photo", metavar="FILE", help="picture to compare on (default: a cat)")


def run(arguments):
    """Export, compare, say how exact and how fast it is; return 0.

    Raises ValueError for networks that can't be exported, and where the file would not say what torch says.
    """
    import shutil
    from pathlib import Path

    from seglib.training.weights import write_whole
    from workbench.exporting import compare, exported
    from workbench.networks import DETECTORS, load_run

    if arguments.to == "executorch":
        raise ValueError("executorch is none of the course's packages, so nothing could be compared: take --to onnx")
    network, config = load_run(arguments.run)
    if config["model"] in DETECTORS:
        why = "it tells objects apart outside of its layers (boxes that suppress each other, a watershed)"
        raise ValueError(f"{config['model']} is not exported: {why}, and the file holds layers alone")
    content, pairs = exported(network, config, arguments.to, arguments.photo)
    told = compare(pairs, FLIPPED if config["model"] == "segnet" else 0)
    folder = Path(arguments.run)
    out = Path(arguments.out or (folder if folder.is_dir() else folder.parent) / f"model{SUFFIXES[arguments.to]}")
    write_whole(out, content)
    if arguments.to == "onnx":
        shutil.copy(Path(__file__).with_name("run_onnx.py"), out.with_name("run_onnx.py"))
    print(f"{out}: {told}")
    return 0

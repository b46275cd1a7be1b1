"""``seglib models``: what there is to train, how large it is, and what it is for."""

PURPOSES = {
    "unet": "the first one to try; fine outlines, few pictures",
    "fcn": "the plain one: a classifier turned into a segmenter",
    "segnet": "remembers where its poolings took their values; little memory",
    "pspnet": "scenes, where the whole picture tells what a pixel is",
    "deeplab": "scenes, with sharper outlines",
    "mask_rcnn": "single objects of 8 to 64 px (dsb2018, cells, or --numbered masks)",
    "nuclei": "touching nuclei in grey pictures (dsb2018, cells, or --numbered masks)",
}
SIDE = 256


def add_parser(subparsers):
    """Add ``models`` to the command line."""
    subparsers.add_parser("models", help="list the networks, with their sizes")


def run(_):
    """Print the table; return the exit status."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from seglib.models import parameters
    from workbench.networks import DETECTORS, NETWORKS, WITH_BACKBONE, build

    print(f"{'--model':32}{'parameters':>12}{'multiply-adds':>16}   (in colours, two classes, {SIDE} x {SIDE} px)")
    for name in NETWORKS:
        for backbone in (None, "efficientnet_lite0") if name in WITH_BACKBONE else (None,):
            grey, classes = name == "nuclei", ("background", "object")
            network = build({"model": name, "grey": grey, "classes": classes, "backbone": backbone}).eval()
            image = torch.zeros(1, 1 if grey else 3, SIDE, SIDE)
            with torch.no_grad(), FlopCounterMode(display=False) as counter:
                network(list(image) if name in DETECTORS else image)
            label = f"{name} --backbone {backbone}" if backbone else name
            print(f"{label:32}{parameters(network):12,}{counter.get_total_flops() / 2e9:14.2f} G   {PURPOSES[name]}")
    return 0

"""The state of a training run between two steps, out of which it goes on to the bit: taken, restored."""

import torch


def take(model, optimizer, history, elapsed):
    """Everything that the next step depends on: a dict of tensors by name, lists and numbers.

    The order of the samples needs no state: draw j of a run depends on (seed, j) alone.
    """
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{key}.{name}"] = value
    tensors["random.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    return {"tensors": tensors, "history": history, "elapsed": elapsed}


def restore(state, model, optimizer):
    """Fill a network and its optimizer with what `take` took, and set the random numbers back to that moment."""
    tensors = state["tensors"]
    model.load_state_dict(named(tensors, "model."))
    for name, parameter in model.named_parameters():
        found = {key: tensors.get(f"optimizer.{key}.{name}") for key in ("step", "exp_avg", "exp_avg_sq")}
        if found["step"] is not None:
            # As the optimizer lays them out, beside their parameter, so that it takes the same path through memory.
            averages = {key: torch.empty_like(parameter).copy_(found[key]) for key in ("exp_avg", "exp_avg_sq")}
            optimizer.state[parameter] = {"step": found["step"].clone(), **averages}
    torch.set_rng_state(tensors["random.cpu"])
    if "random.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.cuda"])


def named(tensors, prefix):
    """The tensors whose name begins with ``prefix``, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

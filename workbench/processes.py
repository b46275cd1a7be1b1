"""One process or many: what a training run has to share with the others, each function a no-op where it is alone.

The others are those of torch.distributed's default group, which Hugging Face Accelerate sets up from what
``accelerate launch`` or torchrun says. Until it is set up a process is alone, and Accelerate is not even imported.
"""

import torch
from torch import distributed, nn
from torch.distributed.nn.functional import all_reduce


def rank_and_size():
    """Number of this process, from 0, and how many there are: (0, 1) for a process alone."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def together(network, device):
    """The network with its gradients averaged over all processes and its batch norms fed by all of them."""
    if rank_and_size()[1] == 1:
        return network
    from accelerate import Accelerator

    for module in network.modules():
        # Same parameters, same names: only the statistics of a training step are another's business too. torch's own
        # SyncBatchNorm would do the same, but refuses to run on CPUs.
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedBatchNorm
    return Accelerator(cpu=device.type == "cpu").prepare_model(network)


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm over the batches of all processes at once, as if they were one."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        values, axes = x.float(), (0, 2, 3)
        pixels = values.new_tensor([values.numel() / values.shape[1]])
        sums = all_reduce(torch.cat([pixels, values.sum(axes)]))
        count, mean = sums[0].detach(), sums[1:] / sums[0].detach()
        centred = values - mean[:, None, None]
        variance = all_reduce(centred.square().sum(axes)) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)


def fair_share(weight):
    """How much the mean over this process's pixels, whose weights add up to ``weight``, counts in the mean over all.

    Gradients are averaged over processes; a process with more void pixels than another has to count less for the
    result to be the mean over the pixels of all.
    """
    size = rank_and_size()[1]
    if size == 1:
        return 1.0
    total = weight.detach().clone()
    distributed.all_reduce(total)
    return size * weight / total.clamp(min=torch.finfo(total.dtype).tiny)


def agreed(value, done):
    """A figure averaged over all processes, and the first one's ``done``: the same for all."""
    size = rank_and_size()[1]
    if size == 1:
        return value, done
    every = [None] * size
    distributed.all_gather_object(every, (value, done))
    return sum(each for each, _ in every) / size, every[0][1]

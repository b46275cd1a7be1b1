"""Where to compute, and in which precision."""

import os

import torch


def best_device():
    """The GPU if there is one (CUDA, then Apple's) and ``accelerate launch --cpu`` did not forbid it, else the CPU."""
    if os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true"):
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def autocast(device):
    """bfloat16 where it is faster than float32: on CUDA, and on CPUs with instructions for it."""
    fast = device.type == "cuda" or (device.type == "cpu" and cpu_has_bfloat16())
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast)


def cpu_has_bfloat16():
    """True where the CPU multiplies bfloat16 itself (AVX512-BF16 or AMX). Emulated, it is slower than float32."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))

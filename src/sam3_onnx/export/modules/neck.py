"""Levels of the feature pyramid with fewer convolutions that compute the same.

Between a transposed convolution and the 1x1 convolution behind it stands no activation, nor between the 3x3 convolution
and the 1x1 of the click head: two linear steps, which are one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["folded_level"]


def folded_level(level: nn.Module, *behind: nn.Module) -> nn.Sequential:
    """Returns a level of the neck, and what follows it, with 1x1 convolutions folded into their predecessors.

    Args:
        level: transformers' `Sam3FPNLayer`; it is not changed.
        behind: Modules that follow it.

    Returns:
        The same function up to the rounding of float32.
    """
    return nn.Sequential(*_folded([*level.scale_layers, level.proj1, level.proj2, *behind]))


def _folded(modules: Iterable[nn.Module]) -> list[nn.Module]:
    kept: list[nn.Module] = []
    for module in modules:
        before = kept[-1] if kept else None
        if isinstance(before, nn.Conv2d | nn.ConvTranspose2d) and _is_pointwise(module) and _saves(before, module):
            kept[-1] = _fold(before, module)
        else:
            kept.append(module)
    return kept


def _is_pointwise(module: nn.Module) -> bool:
    """Whether a module computes each pixel from the channels of the same pixel, linearly."""
    return (
        isinstance(module, nn.Conv2d)
        and module.kernel_size == module.stride == (1, 1)
        and module.padding == (0, 0)
        and module.groups == 1
    )


def _saves(first: nn.Conv2d | nn.ConvTranspose2d, pointwise: nn.Module) -> bool:
    """Whether one convolution costs no more multiplications per pixel of the answer than two."""
    taps = first.kernel_size[0] * first.kernel_size[1]
    if isinstance(first, nn.ConvTranspose2d):
        taps //= first.stride[0] * first.stride[1]
    into, between, out = first.in_channels, first.out_channels, pointwise.out_channels
    return first.groups == 1 and taps * into * out <= taps * into * between + between * out


def _fold(first: nn.Conv2d | nn.ConvTranspose2d, pointwise: nn.Module) -> nn.Module:
    """One convolution with the layout of the first, in double precision until it is rounded once."""
    matrix = pointwise.weight[:, :, 0, 0].double()
    weights = "ob,ibhw->iohw" if isinstance(first, nn.ConvTranspose2d) else "ob,bihw->oihw"
    one = type(first)(
        first.in_channels,
        pointwise.out_channels,
        first.kernel_size,
        stride=first.stride,
        padding=first.padding,
        dilation=first.dilation,
        bias=first.bias is not None or pointwise.bias is not None,
    )
    with torch.no_grad():
        one.weight.copy_(torch.einsum(weights, matrix, first.weight.double()))
        if one.bias is not None:
            moved = 0.0 if first.bias is None else matrix @ first.bias.double()
            own = torch.zeros(len(matrix)).double() if pointwise.bias is None else pointwise.bias.double()
            one.bias.copy_(moved + own)
    return one.eval()

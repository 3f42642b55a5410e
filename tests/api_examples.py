"""Examples for the pages of layers whose docstrings have none: an expression each, shown with its value."""

from typing import Any

import minigrad
from minigrad import nn

FUNCTIONS = ("ones", "tensor", "zeros")  # that an expression may use, beside the layers

EXAMPLES = {
    "AdaptiveAvgPool2d": "AdaptiveAvgPool2d((2, None))(ones(1, 3, 8, 5)).shape",
    "AdaptiveAvgPool3d": "AdaptiveAvgPool3d(2)(ones(1, 3, 4, 6, 8)).shape",
    "AdaptiveMaxPool1d": "AdaptiveMaxPool1d(2)(tensor([[1.0, 3.0, 2.0, 0.0]])).tolist()",
    "AdaptiveMaxPool2d": "AdaptiveMaxPool2d((2, None))(ones(1, 3, 8, 5)).shape",
    "AdaptiveMaxPool3d": "AdaptiveMaxPool3d(2)(ones(1, 3, 4, 6, 8)).shape",
    "AlphaDropout": "AlphaDropout(0.5).eval()(ones(3)).tolist()",
    "AvgPool2d": "AvgPool2d(2)(tensor([[[1.0, 2.0], [3.0, 6.0]]])).tolist()",
    "AvgPool3d": "AvgPool3d(2)(ones(1, 3, 4, 6, 8)).shape",
    "BCELoss": "round(BCELoss()(tensor([0.5, 0.5]), tensor([1.0, 0.0])).item(), 4)",
    "BCEWithLogitsLoss": "round(BCEWithLogitsLoss()(zeros(2), tensor([1.0, 0.0])).item(), 4)",
    "BatchNorm2d": "BatchNorm2d(3)(ones(2, 3, 4, 4)).shape",
    "BatchNorm3d": "BatchNorm3d(3)(ones(2, 3, 4, 4, 4)).shape",
    "ChannelShuffle": "ChannelShuffle(2)(tensor([[[0.0], [1.0], [2.0], [3.0]]])).flatten().tolist()",
    "CircularPad2d": "CircularPad2d((1, 0, 0, 0))(tensor([[[1.0, 2.0], [3.0, 4.0]]])).tolist()",
    "CircularPad3d": "CircularPad3d(1)(ones(1, 2, 2, 2)).shape",
    "ConcatScore": "ConcatScore(2, 3, 4)(ones(5, 6, 2), ones(5, 7, 3)).shape",
    "ConstantPad2d": "ConstantPad2d((1, 0, 0, 1), 7.0)(tensor([[[1.0, 2.0]]])).tolist()",
    "ConstantPad3d": "ConstantPad3d(1, 7.0)(ones(1, 2, 2, 2)).shape",
    "Conv2d": "Conv2d(2, 4, kernel_size=3, stride=2, padding=1)(ones(1, 2, 5, 5)).shape",
    "Conv3d": "Conv3d(2, 4, kernel_size=3)(ones(1, 2, 5, 5, 5)).shape",
    "ConvTranspose2d": "ConvTranspose2d(4, 2, kernel_size=3, stride=2, padding=1)(ones(1, 4, 3, 3)).shape",
    "ConvTranspose3d": "ConvTranspose3d(4, 2, kernel_size=3)(ones(1, 4, 3, 3, 3)).shape",
    "CosineEmbeddingLoss": "CosineEmbeddingLoss()(tensor([1.0, 0.0]), tensor([0.0, 1.0]), ones(())).item()",
    "CosineSimilarity": "round(CosineSimilarity(0)(tensor([1.0, 0.0]), tensor([3.0, 4.0])).item(), 4)",
    "DotScore": "DotScore()(ones(5, 6, 2), ones(5, 7, 2)).shape",
    "Dropout1d": "Dropout1d(0.5).eval()(ones(1, 2, 3)).shape",
    "Dropout2d": "Dropout2d(0.5).eval()(ones(1, 2, 3, 3)).shape",
    "Dropout3d": "Dropout3d(0.5).eval()(ones(1, 2, 3, 3, 3)).shape",
    "FeatureAlphaDropout": "FeatureAlphaDropout(0.5).eval()(ones(1, 2, 3)).shape",
    "Fold": "Fold((3, 3), kernel_size=2)(ones(1, 4, 4)).tolist()",
    "GaussianNLLLoss": "GaussianNLLLoss()(tensor([0.0]), tensor([2.0]), tensor([1.0])).item()",
    "GeneralScore": "GeneralScore(2, 3)(ones(5, 6, 2), ones(5, 7, 3)).shape",
    "GroupNorm": "GroupNorm(2, 4, eps=0.0)(tensor([[1.0, 3.0, 4.0, 8.0]])).tolist()",
    "HingeEmbeddingLoss": "HingeEmbeddingLoss()(tensor([0.5, 0.25]), tensor([1.0, -1.0])).item()",
    "HuberLoss": "HuberLoss()(tensor([0.5, 3.0]), zeros(2)).item()",
    "Identity": "Identity()(tensor([1.0, 2.0])).tolist()",
    "InstanceNorm1d": "InstanceNorm1d(1, eps=0.0)(tensor([[[1.0, 3.0]]])).tolist()",
    "InstanceNorm2d": "InstanceNorm2d(3)(ones(2, 3, 4, 4)).shape",
    "InstanceNorm3d": "InstanceNorm3d(3)(ones(2, 3, 4, 4, 4)).shape",
    "KLDivLoss": 'KLDivLoss(reduction="sum")(tensor([0.5, 0.5]).log(), tensor([0.5, 0.5])).item()',
    "L1Loss": "L1Loss()(tensor([1.0, 2.0]), tensor([1.0, 5.0])).item()",
    "LPPool1d": "LPPool1d(2, kernel_size=2)(tensor([[3.0, 4.0, 0.0, 1.0]])).tolist()",
    "LPPool2d": "LPPool2d(2, kernel_size=2)(ones(1, 3, 4, 6)).shape",
    "LPPool3d": "LPPool3d(2, kernel_size=2)(ones(1, 3, 4, 6, 8)).shape",
    "LinearCrossEntropyLoss": "LinearCrossEntropyLoss(3, 10)(ones(2, 3), tensor([4, 7])).shape",
    "LocalResponseNorm": "LocalResponseNorm(2)(ones(1, 3, 4)).shape",
    "MSELoss": "MSELoss()(tensor([1.0, 2.0]), tensor([1.0, 4.0])).item()",
    "MarginRankingLoss": "MarginRankingLoss(1.0)(tensor([2.0]), tensor([1.5]), tensor([1.0])).item()",
    "MaxPool2d": "MaxPool2d(2)(tensor([[[1.0, 2.0], [3.0, 6.0]]])).tolist()",
    "MaxPool3d": "MaxPool3d(2)(ones(1, 3, 4, 6, 8)).shape",
    "MaxUnpool2d": "MaxUnpool2d(2)(tensor([[[6.0]]]), tensor([[[3]]])).tolist()",
    "MaxUnpool3d": "MaxUnpool3d(2)(*MaxPool3d(2, return_indices=True)(ones(1, 3, 4, 6, 8))).shape",
    "MultiLabelMarginLoss": "MultiLabelMarginLoss()(tensor([0.5, 1.0]), tensor([1, -1])).item()",
    "MultiLabelSoftMarginLoss": "round(MultiLabelSoftMarginLoss()(zeros(1, 2), ones(1, 2)).item(), 4)",
    "MultiMarginLoss": "MultiMarginLoss()(tensor([0.5, 1.0]), tensor(0)).item()",
    "NLLLoss": "NLLLoss()(tensor([[-1.0, -2.0]]), tensor([1])).item()",
    "PairwiseDistance": "PairwiseDistance(eps=0.0)(tensor([3.0, 4.0]), zeros(2)).item()",
    "ParameterList": "list(ParameterList([ones(2), ones(3)]).state_dict())",
    "PixelShuffle": "PixelShuffle(2)(tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]])).tolist()",
    "PixelUnshuffle": "PixelUnshuffle(2)(tensor([[[1.0, 2.0], [3.0, 4.0]]])).flatten().tolist()",
    "PoissonNLLLoss": "PoissonNLLLoss()(tensor([0.0]), tensor([3.0])).item()",
    "ReflectionPad2d": "ReflectionPad2d((1, 0, 0, 0))(tensor([[[1.0, 2.0], [3.0, 4.0]]])).tolist()",
    "ReflectionPad3d": "ReflectionPad3d(1)(ones(1, 2, 2, 2)).shape",
    "ReplicationPad2d": "ReplicationPad2d((1, 0, 0, 0))(tensor([[[1.0, 2.0], [3.0, 4.0]]])).tolist()",
    "ReplicationPad3d": "ReplicationPad3d(1)(ones(1, 2, 2, 2)).shape",
    "SmoothL1Loss": "SmoothL1Loss()(tensor([0.5, 3.0]), zeros(2)).item()",
    "SoftMarginLoss": "round(SoftMarginLoss()(zeros(1), ones(1)).item(), 4)",
    "TransformerDecoder": "TransformerDecoder(TransformerDecoderLayer(8, 2, 16), 2)"
    "(ones(4, 1, 8), ones(5, 1, 8)).shape",
    "TransformerDecoderLayer": "TransformerDecoderLayer(8, 2, 16)(ones(4, 1, 8), ones(5, 1, 8)).shape",
    "TransformerEncoder": "TransformerEncoder(TransformerEncoderLayer(8, 2, 16), 2)(ones(5, 1, 8)).shape",
    "TransformerEncoderLayer": "TransformerEncoderLayer(8, 2, 16)(ones(5, 1, 8)).shape",
    "TripletMarginLoss": "TripletMarginLoss(eps=0.0)(zeros(1, 2), zeros(1, 2), tensor([[0.0, 0.5]])).item()",
    "TripletMarginWithDistanceLoss": "TripletMarginWithDistanceLoss(distance_function=L1Loss())"
    "(zeros(2), zeros(2), tensor([0.25, 0.25])).item()",
    "Unfold": "Unfold(kernel_size=2)(ones(1, 3, 4, 4)).shape",
    "UpsamplingBilinear2d": "UpsamplingBilinear2d((1, 3))(tensor([[[[0.0, 4.0]]]])).tolist()",
    "UpsamplingNearest2d": "UpsamplingNearest2d((1, 4))(tensor([[[[0.0, 4.0]]]])).tolist()",
    "ZeroPad1d": "ZeroPad1d((2, 1))(tensor([[1.0, 2.0]])).tolist()",
    "ZeroPad2d": "ZeroPad2d((1, 0, 0, 1))(tensor([[[1.0, 2.0]]])).tolist()",
    "ZeroPad3d": "ZeroPad3d(1)(ones(1, 2, 2, 2)).shape",
}


def evaluated(expression: str) -> Any:
    """The value of one of the expressions of these pages, in which the names of minigrad and nn are known."""
    names = {name: getattr(minigrad, name) for name in FUNCTIONS}
    return eval(expression, names | vars(nn))  # noqa: S307 -- our own tables


def example(name: str) -> list[str]:
    """The lines of a console session: imports, expression, value; none if there is no example."""
    if name not in EXAMPLES:
        return []
    names = compile(EXAMPLES[name], name, "eval").co_names
    functions = ", ".join(sorted(set(names) & set(FUNCTIONS)))
    layers = ", ".join(sorted(x for x in set(names) if x[0].isupper()))
    imports = [f">>> from minigrad import {functions}", f">>> from minigrad.nn import {layers}"]
    return [*imports, f">>> {EXAMPLES[name]}", repr(evaluated(EXAMPLES[name]))]

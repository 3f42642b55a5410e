"""The page of one layer: how it is made and called, what it holds, and where it differs from PyTorch."""

import ast
import functools
import importlib
import re
from typing import Any

from api_examples import EXAMPLES, evaluated, example
from api_markdown import arguments, converted, fenced, figure, listed, paragraphs, summary, table
from api_source import (
    REFERRED,
    constructor_arguments,
    definitions,
    docstring,
    heading,
    method,
    pages_of_nn,
    said_of,
    signature,
    source_link,
)
from minigrad import nn
from source_tree import ROOT

BUILT = {  # how a layer is made, to show what it holds
    "AdaptiveLogSoftmaxWithLoss": "(8, 100, cutoffs=[10, 50])",
    "BCELoss": "(weight=ones(4))",
    "BCEWithLogitsLoss": "(weight=ones(4), pos_weight=ones(4))",
    **{f"BatchNorm{n}d": "(4)" for n in (1, 2, 3)},
    "Bilinear": "(2, 3, 4)",
    "ConcatScore": "(2, 3, 4)",
    **{f"Conv{n}d": "(2, 4, kernel_size=3)" for n in (1, 2, 3)},
    **{f"ConvTranspose{n}d": "(2, 4, kernel_size=3)" for n in (1, 2, 3)},
    "CrossEntropyLoss": "(weight=ones(10))",
    "Embedding": "(10, 4)",
    "EmbeddingBag": "(10, 4)",
    "GRU": "(3, 4)",
    "GRUCell": "(3, 4)",
    "GeneralScore": "(2, 3)",
    "GroupNorm": "(2, 4)",
    **{f"InstanceNorm{n}d": "(4, affine=True, track_running_stats=True)" for n in (1, 2, 3)},
    "LSTM": "(3, 4)",
    "LSTMCell": "(3, 4)",
    "LayerNorm": "(4)",
    "Linear": "(3, 4)",
    "LinearCrossEntropyLoss": "(3, 10, bias=True)",
    "MultiLabelSoftMarginLoss": "(weight=ones(10))",
    "MultiMarginLoss": "(weight=ones(10))",
    "MultiheadAttention": "(8, 2)",
    "NLLLoss": "(weight=ones(10))",
    "PReLU": "()",
    "RMSNorm": "(4)",
    "RNN": "(3, 4)",
    "RNNCell": "(3, 4)",
    "Transformer": "(8, 2, 1, 1, 16)",
    "TransformerDecoder": "(TransformerDecoderLayer(8, 2, 16), 2)",
    "TransformerDecoderLayer": "(8, 2, 16)",
    "TransformerEncoder": "(TransformerEncoderLayer(8, 2, 16), 2)",
    "TransformerEncoderLayer": "(8, 2, 16)",
}
OURS = ("cache", "forget_bias", "reset_after")  # arguments that PyTorch does not have


def layer_page(name: str) -> str:
    """The page of one name of minigrad.nn."""
    thing = getattr(nn, name)
    parts = [
        f"# {name}",
        f"`minigrad.nn.{name}`, in {source_link(thing, '../../../')}. [All names](../README.md).",
        heading(name, thing),
        converted(docstring(thing), lambda other: _link(other, name)),
        *_borrowed(name),
        *([fenced(example(name), "python")] if name in EXAMPLES else []),
        *_letters(thing),
        *figure(name, "../../images/"),
        *_calls(thing),
        *_holdings(name),
        *_methods(thing),
        *differences(name, thing),
    ]
    return "\n\n".join(parts) + "\n"


def _link(name: str, here: str) -> str | None:
    """The page of another name, seen from docs/api/nn."""
    page = pages_of_nn().get(name)
    return (
        None if page is None or name == here else page.removeprefix("nn/") if "nn/" in page else f"../{page}"
    )


def _borrowed(name: str) -> list[str]:
    """The arguments that are described on the page of another layer, as they are there."""
    (_, own), *others = said_of(name).items()
    missing = constructor_arguments(getattr(nn, name)) - _described(own)
    parts: list[str] = []
    for other, said in others:
        entries = [
            entry
            for lines in paragraphs(said)
            for entry in (arguments(lines) if lines[0] == "Args:" else [])
            if set(entry[0].split(", ")) & missing
        ]
        if entries:
            parts += [f"**Args** as for [{other}]({_link(other, name)})"]
            parts.append(listed(entries, lambda name: None))
            missing -= _described(said)
    return parts


def _described(text: str) -> set[str]:
    """The arguments that a docstring describes itself, and does not leave to another."""
    entries = [entry for lines in paragraphs(text) if lines[0] == "Args:" for entry in arguments(lines)]
    return {name for names, said in entries if not REFERRED.match(said) for name in names.split(", ")}


def _letters(thing: Any) -> list[str]:
    """What the letters in the shapes mean, where the file says it once for all."""
    text = importlib.import_module(thing.__module__).__doc__ or ""
    return [" ".join(lines) for lines in paragraphs(text) if lines[0].startswith(("Letters: ", "Shapes: "))]


def _calls(thing: Any) -> list[str]:
    """How a module is called, and what `forward` says of its arguments."""
    node = method(thing, "forward") if isinstance(thing, type) and issubclass(thing, nn.Module) else None
    if node is None or thing is nn.Module:
        return []
    said = ast.get_docstring(node)
    call = fenced(signature("forward", node), "python")
    return ["## The call", call, *([converted(said, lambda name: None)] if said else [])]


def _holdings(name: str) -> list[str]:
    """The parameters and buffers of a layer made for the purpose."""
    if name not in BUILT:
        return []
    layer = evaluated(name + BUILT[name])
    rows = [(f"`{path}`", "parameter", str(tuple(x.shape))) for path, x in layer.named_parameters()]
    rows += [(f"`{path}`", "buffer", str(tuple(x.shape))) for path, x in layer.named_buffers()]
    return ["## Parameters and buffers", f"Of `{name}{BUILT[name]}`:", table(("name", "kind", "shape"), rows)]


def _methods(thing: Any) -> list[str]:
    """Public methods beyond those of every module."""
    if not isinstance(thing, type) or not issubclass(thing, nn.Module) or thing is nn.Module:
        bases: tuple[type, ...] = (thing,) if isinstance(thing, type) else ()
    else:
        bases = thing.__mro__[: thing.__mro__.index(nn.Module)]
    found: dict[str, str] = {}
    for base in bases:
        for path, node in definitions(base.__module__).items():
            owner, _, name = path.partition(".")
            if owner == base.__name__ and name and name[0] != "_" and ast.get_docstring(node):
                found.setdefault(name, summary(ast.get_docstring(node)))
    rows = [
        (f"`{name}`", text) for name, text in sorted(found.items()) if name not in ("extra_repr", "forward")
    ]
    return ["## Methods", table(("method", "what it does"), rows)] if rows else []


def differences(name: str, thing: Any) -> list[str]:
    """What docs/differences.md says of the layer or its function, and arguments that PyTorch has not."""
    found = [item for item in _listed_differences() if _names(item) & {name, *_functions(thing)}]
    node = method(thing, "__init__")
    given = {argument.arg for argument in node.args.kwonlyargs} if node else set()
    found += [
        f"`{argument}` is an argument that PyTorch's has not." for argument in OURS if argument in given
    ]
    if name not in _names(_pytorch_names()):
        found.append("PyTorch has nothing of this name.")
    return ["## Where it differs from PyTorch", "\n".join(f"- {item}" for item in found)] if found else []


@functools.cache
def _listed_differences() -> list[str]:
    text = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
    return [
        re.sub(r"\s+", " ", item).strip()
        for item in re.findall(r"^- (.*?)(?=^- |^$)", text, re.MULTILINE | re.DOTALL)
    ]


@functools.cache
def _pytorch_names() -> str:
    """The part of docs/coverage.md on torch.nn."""
    text = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    return "".join(part for part in text.split("\n## ") if part.startswith("torch.nn:")) + "`KeyValueCache`"


def _names(text: str) -> set[str]:
    return {name for code in re.findall(r"`([^`]*)`", text) for name in re.findall(r"\w+", code)[:1]}


def _functions(thing: Any) -> set[str]:
    """The functions of nn.functional that a module's forward calls."""
    node = method(thing, "forward")
    return set(re.findall(r"\bF\.(\w+)", ast.unparse(node))) if node else set()

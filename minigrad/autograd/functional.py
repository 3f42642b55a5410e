"""Floor 6: derivatives of a function at a point, under the names and with the manners of PyTorch's module.

`inputs` is a tensor or a tuple of them, and so is what the function returns; results are shaped accordingly.
What all of them understand:

    create_graph   record, so that the result can be differentiated by the inputs
    strict         GraphError where an output or a result does not depend on the inputs, in place of zeros
"""

from collections.abc import Callable, Sequence
from typing import Any

from minigrad import ops
from minigrad.errors import GraphError, ShapeError
from minigrad.tensor import Tensor
from minigrad.transforms import Linearised, constant, filled, jacobian_rows, pulled_back

Tensors = Tensor | tuple[Tensor, ...]


def vjp(
    func: Callable,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """(func(inputs), vᵀJ); v, of the shape of the output, may be left out if that is one number.

    >>> import minigrad as mg
    >>> mg.autograd.functional.vjp(lambda x: (x * x).sum(), mg.tensor([1.0, 2.0]))
    (tensor(5.), tensor([2., 4.]))
    """
    point, outputs = _at("vjp", func, inputs, create_graph, strict)
    found = pulled_back(point.outputs, point.inputs, _direction("vjp", v, point.outputs), create_graph)
    _check_strict("vjp", found, strict)
    return _shaped(outputs, point.outputs, create_graph), _shaped(inputs, filled(found, point.inputs))


def jvp(
    func: Callable,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """(func(inputs), J v), by two walks back; v may be left out if the input is one number.

    >>> import minigrad as mg
    >>> mg.autograd.functional.jvp(lambda x: (x * x).sum(), mg.tensor([1.0, 2.0]), mg.ones(2))
    (tensor(5.), tensor(6.))
    """
    point, outputs = _at("jvp", func, inputs, create_graph, strict)
    pushed = point.jvp(_direction("jvp", v, point.inputs), create_graph)
    return _shaped(outputs, point.outputs, create_graph), _shaped(outputs, pushed)


def jacobian(
    func: Callable,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """∂output/∂input of shape output.shape + input.shape; tuples of them where there are several.

    One walk back for each element of the output, or with vectorize=True one for all of them, by vmap. The
    strategy is always "reverse-mode"; `minigrad.func.jacfwd` goes by columns.

    >>> import minigrad as mg
    >>> mg.autograd.functional.jacobian(lambda x: x * x, mg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy != "reverse-mode":
        raise ValueError(
            f'jacobian(): strategy {strategy!r}, expected "reverse-mode"; '
            "minigrad.func.jacfwd goes by columns"
        )
    point, outputs = _at("jacobian", func, inputs, create_graph, strict)
    blocks = []
    for out in point.outputs:
        if strict:
            probe = pulled_back([out], point.inputs, [constant(out, 0)], further=False)
            _check_strict("jacobian", probe, strict)
        rows = jacobian_rows(out, point.inputs, create_graph, None if vectorize else 1)
        shaped = [
            ops.reshape(block, shape=(*out.shape, *each.shape))
            for block, each in zip(rows, point.inputs, strict=True)
        ]
        blocks.append(_shaped(inputs, shaped))
    return tuple(blocks) if isinstance(outputs, tuple) else blocks[0]


def hessian(
    func: Callable,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """∂²output/∂input², of shape input.shape + input.shape, of a function that returns one number.

    >>> import minigrad as mg
    >>> mg.autograd.functional.hessian(lambda x: (x**3).sum(), mg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """

    def gradient(*arguments: Tensor) -> Any:
        given = arguments if isinstance(inputs, tuple) else arguments[0]
        found = jacobian(
            lambda *each: _number("hessian", func(*each)), given, create_graph=True, strict=strict
        )
        return (
            tuple(ops.reshape(g, shape=a.shape) for g, a in zip(found, arguments, strict=True))
            if isinstance(inputs, tuple)
            else ops.reshape(found, shape=arguments[0].shape)
        )

    return jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


def vhp(
    func: Callable,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """(func(inputs), vᵀH) for a function that returns one number; v may be left out if the input is one.

    >>> import minigrad as mg
    >>> mg.autograd.functional.vhp(lambda x: (x**3).sum(), mg.tensor([1.0, 2.0]), mg.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    return _second("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Callable,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """(func(inputs), H v): the same as `vhp`, since H is symmetric wherever it exists (Schwarz's theorem).

    PyTorch's hvp walks back once more, to the same numbers.
    """
    return _second("hvp", func, inputs, v, create_graph, strict)


# ------------------------------------------------------------------------------------------------ parts


def _at(
    name: str, func: Callable, inputs: Tensors, create_graph: bool, strict: bool
) -> tuple[Linearised, Any]:
    """The function, linearised at the inputs, and what it returned."""
    point = Linearised(name, inputs if isinstance(inputs, tuple) else (inputs,))
    outputs, _ = point.run(lambda arguments: func(*arguments), has_aux=False)
    if not isinstance(outputs, Tensor | tuple):
        raise TypeError(
            f"{name}(): the function returned a {type(outputs).__name__}, "
            "expected a Tensor or a tuple of them"
        )
    for i, out in enumerate(point.outputs):
        if strict and out.node is None:
            raise GraphError(f"{name}(): output {i} does not depend on the inputs, and strict=True")
    point.further = create_graph
    return point, outputs


def _second(
    name: str, func: Callable, inputs: Tensors, v: Tensors | None, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    """(value, vᵀH): the gradient is walked back with the cotangent v."""
    point, output = _at(name, func, inputs, create_graph, strict)
    _number(name, output)
    slope = pulled_back(point.outputs, point.inputs, [constant(output, 1)], further=True)
    _check_strict(name, slope, strict)
    found = pulled_back(slope, point.inputs, _direction(name, v, point.inputs), create_graph)
    _check_strict(name, found, strict)
    return _shaped(output, point.outputs, create_graph), _shaped(inputs, filled(found, point.inputs))


def _direction(name: str, v: Tensors | None, like: Sequence[Tensor]) -> list[Tensor]:
    """The vector of a product, which may be left out where there is only one number."""
    if v is None:
        if len(like) != 1 or like[0].array.size != 1:
            raise ShapeError(
                f"{name}(): v can be left out for one number only, got {[a.shape for a in like]}"
            )
        return [constant(like[0], 1)]
    given = list(v) if isinstance(v, tuple | list) else [v]
    if [a.shape for a in given] != [a.shape for a in like]:
        raise ShapeError(
            f"{name}(): v has the shapes {[a.shape for a in given]}, expected {[a.shape for a in like]}"
        )
    return given


def _number(name: str, output: Any) -> Tensor:
    """The output, if it is one number."""
    if not isinstance(output, Tensor) or output.array.size != 1:
        came = f"shape {output.shape}" if isinstance(output, Tensor) else type(output).__name__
        raise ShapeError(f"{name}(): the function returned {came}, expected a tensor of one element")
    return output


def _check_strict(name: str, gradients: Sequence[Tensor | None], strict: bool) -> None:
    for i, g in enumerate(gradients):
        if strict and g is None:
            raise GraphError(f"{name}(): the result does not depend on input {i}, and strict=True")


def _shaped(like: Any, tensors: Sequence[Tensor], recorded: bool = True) -> Any:
    """A tensor, or a tuple of them, as `like` is; outside the graph, unless it is wanted."""
    listed = tuple(a if recorded else a.detach() for a in tensors)
    return listed if isinstance(like, tuple) else listed[0]

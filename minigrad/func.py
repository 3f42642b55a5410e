"""Floor 6: functions that make derivatives of functions, with the names and manners of `torch.func`.

    slope = grad(f)            slope(x) is ∇f(x)
    curvature = hessian(f)     curvature(x) is ∇²f(x)

Arguments and results may be tuples, lists and dicts of tensors, nested.  All of them nest in each other, in
`vmap` and around it: `vmap(grad(loss), in_dims=(None, 0))` gives a gradient for every example.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from . import ops
from .errors import GraphError, ShapeError
from .modes import is_grad_enabled
from .tensor import Tensor
from .transforms import Linearised, Tree, constant, filled, jacobian_rows
from .trees import leaves_of, rebuilt
from .vmap import vmap

__all__ = [
    "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "value_and_grad", "vjp", "vmap",
]  # fmt: skip
Argnums = int | tuple[int, ...]


def grad(func: Callable, argnums: Argnums = 0, has_aux: bool = False) -> Callable:
    """A function that computes the gradient of `func`, whose result must be a number.

    Args:
        func: returns a 0-d tensor; with has_aux=True, a pair of it and something else.
        argnums: the argument, or the arguments (then a tuple of gradients is returned), to differentiate by.
        has_aux: return (gradient, what else func returned).

    >>> import minigrad as mg
    >>> grad(grad(mg.sin))(mg.tensor(1.0)) == -mg.sin(mg.tensor(1.0))
    tensor(True)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **keywords: Any) -> Any:
        gradient, value = both(*args, **keywords)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def grad_and_value(func: Callable, argnums: Argnums = 0, has_aux: bool = False) -> Callable:
    """A function that computes (gradient, value) of `func`; with has_aux=True, (gradient, (value, aux))."""

    @functools.wraps(func)
    def wrapper(*args: Any, **keywords: Any) -> Any:
        point, output, aux = _linearised("grad", func, args, keywords, argnums, has_aux)
        if not isinstance(output, Tensor) or output.shape != ():
            came = f"shape {output.shape}" if isinstance(output, Tensor) else type(output).__name__
            raise ShapeError(
                f"grad(): the function returned {came}, expected a 0-d tensor; reduce it, or use jacrev"
            )
        found = point.vjp([constant(output, 1)], point.further)
        gradient = rebuilt(point.primals, filled(found, point.inputs))
        value = point.shown(output)
        return gradient, ((value, point.shown(aux)) if has_aux else value)

    return wrapper


def value_and_grad(func: Callable, argnums: Argnums = 0, has_aux: bool = False) -> Callable:
    """A function that computes (value, gradient): `grad_and_value` in the order that JAX's users know."""
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **keywords: Any) -> Any:
        gradient, value = both(*args, **keywords)
        return value, gradient

    return wrapper


def vjp(func: Callable, *primals: Any, has_aux: bool = False) -> Any:
    """(func(*primals), a function u ↦ uᵀJ); with has_aux=True also what else func returned.

    The function takes a cotangent of the output, a tree of its structure, and returns one gradient for each
    of the primals, as a tuple. It may be called more than once.

    >>> import minigrad as mg
    >>> y, pull = vjp(mg.sin, mg.zeros(2))
    >>> pull(mg.ones(2))
    (tensor([1., 1.]),)
    """
    point, output, aux = _linearised("vjp", func, primals, {}, tuple(range(len(primals))), has_aux)
    structure = leaves_of(output)

    def pull(cotangents: Tree, create_graph: bool | None = None) -> tuple:
        given = _like(structure, leaves_of(cotangents), "vjp", "cotangent", "output")
        wanted = is_grad_enabled() and (point.further or any(u.requires_grad for u in given))
        found = point.vjp(given, wanted if create_graph is None else create_graph)
        return rebuilt(point.primals, filled(found, point.inputs))

    value = point.shown(output)
    return (value, pull, point.shown(aux)) if has_aux else (value, pull)


def jvp(func: Callable, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """(func(*primals), J v) for tangents v, one for each primal; with has_aux=True also what else came.

    By two walks back, no forward mode: J v is the derivative of uᵀJ, linear in u, in the direction v.
    strict=True refuses an output that does not depend on the primals.

    >>> import minigrad as mg
    >>> jvp(mg.sin, (mg.zeros(2),), (mg.ones(2),))[1]
    tensor([1., 1.])
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple) or not primals:
        raise TypeError("jvp(): primals and tangents must be tuples with an entry for each argument")
    point, output, aux = _linearised("jvp", func, primals, {}, tuple(range(len(primals))), has_aux)
    given = _like(point.inputs, leaves_of(tangents), "jvp", "tangent", "primal")
    if strict and (constants := [i for i, out in enumerate(point.outputs) if out.node is None]):
        raise GraphError(f"jvp(): output {constants[0]} does not depend on the primals, and strict=True")
    further = is_grad_enabled() and (point.further or any(v.requires_grad for v in given))
    pushed = rebuilt(output, point.jvp(given, further))
    value = point.shown(output)
    return (value, pushed, point.shown(aux)) if has_aux else (value, pushed)


def jacrev(
    func: Callable, argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Callable:
    """A function that computes the Jacobian of `func`, row by row: output.shape + input.shape.

    All rows walk back at once, by vmap; chunk_size says how many, and 1 means a loop without vmap, for what
    has no batching rule. The result is the structure of the output, of that of the inputs.

    >>> import minigrad as mg
    >>> jacrev(lambda x: x * x)(mg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **keywords: Any) -> Any:
        point, output, aux = _linearised("jacrev", func, args, keywords, argnums, has_aux)
        blocks = []
        for out in point.outputs:
            rows = jacobian_rows(out, point.inputs, point.further, chunk_size)
            blocks.append(
                [
                    ops.reshape(block, shape=(*out.shape, *each.shape))
                    for block, each in zip(rows, point.inputs, strict=True)
                ]
            )
        jacobian = rebuilt(output, [rebuilt(point.primals, block) for block in blocks])
        return (jacobian, point.shown(aux)) if has_aux else jacobian

    return wrapper


def jacfwd(
    func: Callable, argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable:
    """A function that computes the Jacobian of `func`, column by column: cheap for few inputs.

    By `jvp`, so two walks back and no forward mode. The function runs once, whatever `randomness` says.

    >>> import minigrad as mg
    >>> jacfwd(lambda x: mg.stack([x, x * x]))(mg.tensor(3.0))
    tensor([1., 6.])
    """
    if randomness not in ("error", "same", "different"):
        raise ValueError(f'jacfwd(): randomness {randomness!r}, expected "error", "same" or "different"')

    @functools.wraps(func)
    def wrapper(*args: Any, **keywords: Any) -> Any:
        point, output, aux = _linearised("jacfwd", func, args, keywords, argnums, has_aux)
        u, products = point.transposed()
        blocks: list[list[Tensor]] = [[] for _ in u]
        for product, each in zip(filled(products, point.inputs), point.inputs, strict=True):
            columns = jacobian_rows(product, u, point.further, None)
            for block, column, out in zip(blocks, columns, point.outputs, strict=True):
                block.append(_as_columns(column, out, each))
        jacobian = rebuilt(output, [rebuilt(point.primals, block) for block in blocks])
        return (jacobian, point.shown(aux)) if has_aux else jacobian

    return wrapper


def hessian(func: Callable, argnums: Argnums = 0) -> Callable:
    """A function that computes the second derivatives of `func`: output.shape + input.shape + input.shape.

    >>> import minigrad as mg
    >>> hessian(lambda x: (x**3).sum())(mg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


# ------------------------------------------------------------------------------------------------ arguments


def _linearised(
    name: str, func: Callable, args: Sequence[Any], keywords: dict, argnums: Argnums, has_aux: bool
) -> tuple[Linearised, Tree, Any]:
    """The function, linearised at those of its arguments that are differentiated by; its output, and more."""
    places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for place in places:
        if not isinstance(place, int) or not -len(args) <= place < len(args):
            raise ValueError(f"{name}(): argnums {argnums!r}, but the function got {len(args)} arguments")
    chosen = args[argnums] if isinstance(argnums, int) else tuple(args[place] for place in places)
    point = Linearised(name, chosen)

    def call(primals: Tree) -> Any:
        every = list(args)
        for place, primal in zip(places, (primals,) if isinstance(argnums, int) else primals, strict=True):
            every[place] = primal
        return func(*every, **keywords)

    output, aux = point.run(call, has_aux)
    return point, output, aux


def _like(wanted: Sequence[Tensor], given: list, name: str, what: str, of: str) -> list[Tensor]:
    """The leaves that a user gave, if each fits what it belongs to."""
    if len(given) != len(wanted):
        raise ValueError(f"{name}(): got {len(given)} {what}s for {len(wanted)} {of}s, expected as many")
    for i, (a, b) in enumerate(zip(given, wanted, strict=True)):
        if not isinstance(a, Tensor):
            raise TypeError(f"{name}(): {what} {i} is a {type(a).__name__}, expected a Tensor")
        if a.shape != b.shape:
            raise ShapeError(f"{name}(): {what} {i} has shape {a.shape}, expected the {of}'s {b.shape}")
    return given


def _as_columns(columns: Tensor, out: Tensor, each: Tensor) -> Tensor:
    """∂out/∂each from its columns, (number of elements of `each`, *out.shape)."""
    order = (*range(1, columns.ndim), 0)
    return ops.reshape(ops.permute(columns, dims=order), shape=(*out.shape, *each.shape))

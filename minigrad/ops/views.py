"""Floor 4: what a write through a view means for the tensor that it is a view of."""

from minigrad.primitive import primitive


@primitive
class overlay:
    """y = x, but for what a chain of views shows of it: there it is v"""
    def forward(xp, x, v, *, path):
        y = x.copy()
        seen(y, path)[...] = v
        return y
    def d_x(g, path): return overlay(g, 0.0, path=path)
    def d_v(g, path): return seen(g, path)


def seen(x, path):
    """What a chain of views shows of x; each link of `path` is (operation, its static arguments)."""
    for op, static in path: x = op(x, **static)
    return x

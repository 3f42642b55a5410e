"""Floor 4: what recurrent operations share, and the simplest of them; the LSTM and the GRU are built alike.

Letters: T time steps, B batch, I input size, H hidden size.

A whole sequence is one node in place of some 10 T: the input's part W x + b of all steps is one product
before the loop, the gradient of each weight one product after it, and inside remain U h and the gates.
`lengths` (B,) ends each sequence at its own step: beyond it the outputs are 0 and the state stands still; in
reverse the walk begins at the last real step.
"""

from minigrad.backend import accumulator, known
from minigrad.buffers import room
from minigrad.fused import fused
from minigrad.kernels.repeated import RepeatedProduct
from minigrad.ops.choosing import relu, where
from minigrad.ops.linalg import linear
from minigrad.ops.shape import reshape, select, stack
from minigrad.ops.trigonometry import tanh

__all__ = ["rnn"]


def rnn_equation(x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None, *, nonlinearity="tanh"):
    """One step in ordinary operations: the definition from which `rnn` is derived."""
    z = linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh)  # (B, H)
    return tanh(z) if nonlinearity == "tanh" else relu(z)


@fused
class rnn:
    """hₜ = tanh(W xₜ + U hₜ₋₁ + b), or relu, for t = 1 … T; returns ((T, B, H), last h)    (Elman 1990)"""
    nondifferentiable = ("lengths",)

    def definition(
        x, h0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, lengths=None,
        *, nonlinearity="tanh", reverse=False,
    ):
        weights = (weight_ih, weight_hh, bias_ih, bias_hh)
        def step(x, h): return (rnn_equation(x, h, *weights, nonlinearity=nonlinearity),)
        return unrolled(step, x, (h0,), lengths, reverse)

    def forward(
        xp, x, h0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, lengths=None,
        *, nonlinearity="tanh", reverse=False,
    ):
        T, short = x.shape[0], x.dtype
        x, h0, weight_ih, weight_hh, bias_ih, bias_hh = wide(x, h0, weight_ih, weight_hh, bias_ih, bias_hh)
        z = linear(x, weight_ih, sum_of(bias_ih, bias_hh))  # (T, B, H)
        times_recurrent = RepeatedProduct(xp, weight_hh.T, len(h0))
        before, after = trajectory(xp, h0, T, reverse)
        ended = ended_rows(xp, lengths, T)
        for t in walk(T, reverse):
            h = times_recurrent(before[t], out=after[t])
            h += z[t]
            if nonlinearity == "tanh": xp.tanh(h, out=h)
            else: xp.maximum(h, 0, out=h)
            hold(xp, ended[t], h, before[t])
        kept = (x, weight_ih, weight_hh, before, after, ended)
        return (outputs(xp, after, ended, short), last(after, reverse, short)), kept

    def pullback(xp, g, kept, needs, *, nonlinearity, reverse):
        x, weight_ih, weight_hh, before, after, ended = kept
        T, dz = len(after), room(xp, after.shape, after.dtype)
        dh = at_the_end(xp, g[1], after[0])
        times_recurrent = RepeatedProduct(xp, weight_hh, len(dh))
        for t in walk(T, not reverse):
            dh_here = dh if g[0] is None else dh + g[0][t]
            slope = 1 - after[t] * after[t] if nonlinearity == "tanh" else after[t] > 0
            xp.multiply(dh_here, slope, out=dz[t])
            hold(xp, ended[t], dz[t], 0)
            dh_next, dh = dh, times_recurrent(dz[t], out=xp.empty_like(dh))
            hold(xp, ended[t], dh, dh_next)
        bias = needs[4] or needs[5]
        dx, dW, db = linear.array_pullback(xp, dz, (x, weight_ih), (needs[0], needs[2], bias))
        _, dU, _ = linear.array_pullback(xp, dz, (before, weight_hh), (False, needs[3], False))
        return dx, dh, dW, dU, db, db, None


# ------------------------------------------------------------------ what a definition is made of


def unrolled(step, x, states, lengths, reverse):
    """states = step(xₜ, *states) over and over; returns (the first state of each, (T, B, H), *the last)."""
    T = x.shape[0]
    every = [None] * T
    for t in walk(T, reverse):
        found = step(select(x, dim=0, index=t), *states)
        if lengths is None: states, every[t] = found, found[0]
        else:
            running = reshape(lengths > t, shape=(-1, 1))  # (B, 1)
            states = [where(running, new, old) for new, old in zip(found, states, strict=True)]
            every[t] = where(running, found[0], 0.0)
    return stack(*every, dim=0), *states


# ------------------------------------------------------------------ what a forward is made of


def walk(T, reverse):
    """The steps in the order in which they are taken."""
    return range(T - 1, -1, -1) if reverse else range(T)


def wide(*arrays):
    """The arrays in the type in which sums are kept: float16 becomes float32."""
    return [a if a is None else a.astype(accumulator(a.dtype), copy=False) for a in arrays]


def sum_of(bias_ih, bias_hh):
    """Both biases as one; None if there is none."""
    if bias_ih is None or bias_hh is None: return bias_hh if bias_ih is None else bias_ih
    return bias_ih + bias_hh


def trajectory(xp, first, T, reverse):
    """Room for a state's whole way, on which `first` stands already: what it is before each step, and after.

    The two (T, B, H) are views of one memory: what one step leaves, the next one finds.
    """
    states = room(xp, (T + 1, *first.shape), first.dtype)
    states[-1 if reverse else 0] = first
    return (states[1:], states[:-1]) if reverse else (states[:-1], states[1:])


def ended_rows(xp, lengths, T):
    """For each step the rows whose sequence has ended, as a bool mask (B, 1); None where none has.

    On a GPU always a mask: whether any has ended, the host would have to wait for.
    """
    if lengths is None: return [None] * T
    ended = (xp.arange(T)[:, None] >= lengths)[:, :, None]  # (T, B, 1)
    some = known(ended.any(axis=(1, 2)))
    if some is None: return list(ended)
    return [rows if here else None for rows, here in zip(ended, some, strict=True)]


def hold(xp, rows, new, old):
    """Let these rows of the new state be those of the old one, or a number."""
    if rows is not None: xp.copyto(new, old, where=rows)


def outputs(xp, after, ended, short):
    """A copy of the states after each step for the user, with zeros for what has ended."""
    y = after.astype(short)
    for t, rows in enumerate(ended):
        hold(xp, rows, y[t], 0)
    return y


def last(after, reverse, short):
    """A copy of the state after the last step taken."""
    return after[0 if reverse else -1].astype(short)


def at_the_end(xp, g, state):
    """The gradient of a last state, with which the walk back begins; zeros if nobody used it."""
    return xp.zeros_like(state) if g is None else g.astype(state.dtype)

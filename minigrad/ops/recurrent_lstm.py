"""Floor 4: the LSTM, one step and a whole sequence.

Letters: T time steps, B batch, I input size, H hidden size, P size of the output, which is H or that of a
projection.  The gates lie side by side in PyTorch's order i, f, g, o.
"""

from minigrad.buffers import room
from minigrad.fused import fused
from minigrad.kernels.repeated import RepeatedProduct
from minigrad.ops.exponential import sigmoid
from minigrad.ops.linalg import linear, rows
from minigrad.ops.recurrent import (
    at_the_end,
    ended_rows,
    hold,
    last,
    outputs,
    sum_of,
    trajectory,
    unrolled,
    walk,
    wide,
)
from minigrad.ops.shape import narrow
from minigrad.ops.trigonometry import tanh

__all__ = ["lstm", "lstm_cell"]


def lstm_gates(x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    """The gates i, f, g, o of one step, (B, H) each, or of many, (T, B, H), in ordinary operations."""
    z = linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh)  # (..., 4H)
    i, f, g, o = (narrow(z, dim=-1, start=k * (z.shape[-1] // 4), length=z.shape[-1] // 4) for k in range(4))
    return sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)


def lstm_equations(x, h, c, weight_ih, weight_hh, bias_ih=None, bias_hh=None, weight_hr=None):
    """One step in ordinary operations: the definition from which everything below is derived."""
    i, f, g, o = lstm_gates(x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    c = f * c + i * g
    h = o * tanh(c)
    return h if weight_hr is None else linear(h, weight_hr), c


@fused
class lstm_cell:
    """h', c' = LSTM(x, h, c)    (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000)

    i = σ(Wᵢx + Uᵢh + bᵢ)   f = σ(W_f x + U_f h + b_f)   g = tanh(W_g x + U_g h + b_g)   o = σ(Wₒx + Uₒh + bₒ)
    c' = f c + i g   h' = o tanh c'
    """
    definition = lstm_equations

    def forward(xp, x, h, c, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
        short = x.dtype
        x, h, c, weight_ih, weight_hh = wide(x, h, c, weight_ih, weight_hh)
        s = squash_scale(xp, *c.shape, x.dtype)
        gates = linear(x, weight_ih, sum_of(*wide(bias_ih, bias_hh)))
        gates += xp.matmul(h, weight_hh.T)
        gates *= s
        c_new, tanh_c, h_new = (xp.empty_like(c) for _ in range(3))
        step(xp, gates, s, 1 - s, c, c_new, tanh_c, h_new)
        kept = (x, h, c, weight_ih, weight_hh, gates, tanh_c)
        return (h_new.astype(short, copy=False), c_new.astype(short, copy=False)), kept

    def pullback(xp, g, kept, needs):
        x, h, c, weight_ih, weight_hh, gates, tanh_c = kept
        dh, dc = (at_the_end(xp, gradient, c) for gradient in g)
        dz = xp.empty_like(gates)
        dc = step_back(xp, gates, c, tanh_c, dh, dc, dz)
        bias = needs[5] or needs[6]
        dx, dW, db = linear.array_pullback(xp, dz, (x, weight_ih), (needs[0], needs[3], bias))
        dh, dU, _ = linear.array_pullback(xp, dz, (h, weight_hh), (needs[1], needs[4], False))
        return dx, dh, dc, dW, dU, db, db


@fused
class lstm:
    """hₜ, cₜ = LSTM(xₜ, hₜ₋₁, cₜ₋₁) for t = 1 … T; returns ((T, B, P), last h, last c)

    With weight_hr (P, H) each output is projected: hₜ = W_hr (oₜ tanh cₜ)    (Sak et al. 2014, eq. 6).
    """
    nondifferentiable = ("lengths",)

    def definition(
        x, h0, c0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, weight_hr=None, lengths=None,
        *, reverse=False,
    ):
        weights = (weight_ih, weight_hh, bias_ih, bias_hh, weight_hr)
        def step(x, h, c): return lstm_equations(x, h, c, *weights)
        return unrolled(step, x, (h0, c0), lengths, reverse)

    def forward(
        xp, x, h0, c0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, weight_hr=None, lengths=None,
        *, reverse=False,
    ):
        T, short = x.shape[0], x.dtype
        x, h0, c0, weight_ih, weight_hh, weight_hr = wide(x, h0, c0, weight_ih, weight_hh, weight_hr)
        s = squash_scale(xp, *c0.shape, x.dtype)
        gates, recurrent = scaled_products(xp, x, weight_ih, weight_hh, sum_of(*wide(bias_ih, bias_hh)))
        h_before, h_after = trajectory(xp, h0, T, reverse)
        c_before, c_after = trajectory(xp, c0, T, reverse)
        tanh_c = room(xp, c_after.shape, c_after.dtype)
        unprojected = h_after if weight_hr is None else xp.empty_like(c_after)
        times_recurrent = RepeatedProduct(xp, recurrent, len(h0))
        product, shift, ended = xp.empty_like(s), 1 - s, ended_rows(xp, lengths, T)
        for t in walk(T, reverse):
            gates[t] += times_recurrent(h_before[t], out=product)
            step(xp, gates[t], s, shift, c_before[t], c_after[t], tanh_c[t], unprojected[t])
            if weight_hr is not None: xp.matmul(unprojected[t], weight_hr.T, out=h_after[t])
            hold(xp, ended[t], h_after[t], h_before[t])
            hold(xp, ended[t], c_after[t], c_before[t])
        kept = (x, weight_ih, weight_hh, weight_hr, gates, h_before, c_before, tanh_c, unprojected, ended)
        h, c = (last(after, reverse, short) for after in (h_after, c_after))
        return (outputs(xp, h_after, ended, short), h, c), kept

    def pullback(xp, g, kept, needs, *, reverse):
        x, weight_ih, weight_hh, weight_hr, gates, h_before, c_before, tanh_c, unprojected, ended = kept
        T, dz = len(gates), room(xp, gates.shape, gates.dtype)
        dh, dc = at_the_end(xp, g[1], h_before[0]), at_the_end(xp, g[2], c_before[0])
        dhs = None if weight_hr is None else xp.empty_like(h_before)
        times_recurrent = RepeatedProduct(xp, weight_hh, len(dh))
        for t in walk(T, not reverse):
            dh_here = dm = dh if g[0] is None else dh + g[0][t]
            if weight_hr is not None:
                dhs[t] = dh_here
                dm = xp.matmul(dh_here, weight_hr)
            dc_next, dc = dc, step_back(xp, gates[t], c_before[t], tanh_c[t], dm, dc, dz[t])
            hold(xp, ended[t], dz[t], 0)  # what has ended hands its gradient on
            if weight_hr is not None: hold(xp, ended[t], dhs[t], 0)
            dh_next, dh = dh, times_recurrent(dz[t], out=xp.empty_like(dh))
            hold(xp, ended[t], dh, dh_next)
            hold(xp, ended[t], dc, dc_next)
        bias = needs[5] or needs[6]
        dx, dW, db = linear.array_pullback(xp, dz, (x, weight_ih), (needs[0], needs[3], bias))
        _, dU, _ = linear.array_pullback(xp, dz, (h_before, weight_hh), (False, needs[4], False))
        dR = xp.matmul(rows(dhs).T, rows(unprojected)) if needs[7] else None  # (P, TB) (TB, H) -> (P, H)
        return dx, dh, dc, dW, dU, db, db, dR, None


def squash_scale(xp, B, H, dtype):
    """s = ½ for i, f, o and 1 for g, see `step`: (B, 4H), since with a single row `step` would be slower."""
    s = xp.full((B, 4 * H), 0.5, dtype)
    s[:, 2 * H : 3 * H] = 1
    return s


def scaled_products(xp, x, weight_ih, weight_hh, bias):
    """s (W x + b) of all steps, (T, B, 4H), and (s U)ᵀ, (P, 4H)."""
    s = squash_scale(xp, 1, weight_hh.shape[0] // 4, x.dtype)[0]
    gates = linear(x, weight_ih * s[:, None], bias if bias is None else bias * s)
    return gates, (weight_hh * s[:, None]).T


def step(xp, z, s, shift, c, c_new, tanh_c, h_new):
    """Squash the gates in place, and write the new cell state, its tanh and the new output.

    z (B, 4H) comes multiplied by s.  s tanh(s z) + 1 - s is σ(z) for s = ½ and tanh(z) for s = 1, so that one
    tanh, NumPy's fastest transcendental function, does for all four gates.
    """
    H = c.shape[1]
    xp.tanh(z, out=z)
    z *= s
    z += shift
    xp.multiply(z[:, H : 2 * H], c, out=c_new)  # f c
    c_new += xp.multiply(z[:, :H], z[:, 2 * H : 3 * H], out=h_new)  # + i g
    xp.tanh(c_new, out=tanh_c)
    xp.multiply(z[:, 3 * H :], tanh_c, out=h_new)  # h' = o tanh c'


def step_back(xp, gates, c, tanh_c, dh, dc, dz):
    """Write the gradients of the gates' inputs, (B, 4H), for those of h' and c'; returns that of c.

    Step by step, with the numbers in the cache, rather than for all T at once: a whole backward of 22.8 ms
    became 21.4 (T 32, B 32, H 256, float32, one thread).
    """
    H = c.shape[1]
    i, f, g, o = (gates[:, k * H : (k + 1) * H] for k in range(4))
    di, df, dg, do = (dz[:, k * H : (k + 1) * H] for k in range(4))
    dc = dc + dh * o * (1 - tanh_c * tanh_c)
    xp.subtract(1, gates, out=dz)
    dz *= gates  # σ' = σ (1 - σ), for i, f and o
    xp.subtract(1, g * g, out=dg)
    di *= dc * g
    df *= dc * c
    dg *= dc * i
    do *= dh * tanh_c
    return dc * f

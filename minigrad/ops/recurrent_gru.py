"""Floor 4: the GRU over a whole sequence, in its two variants.

Letters: T time steps, B batch, I input size, H hidden size.  The gates lie side by side in PyTorch's order
r, z, n; σ(a) = ½ tanh(½ a) + ½, and the ½ inside is multiplied into the weights beforehand.
"""

from minigrad.buffers import room
from minigrad.fused import fused
from minigrad.kernels.repeated import RepeatedProduct
from minigrad.ops.exponential import sigmoid
from minigrad.ops.linalg import linear
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

__all__ = ["gru", "gru_reset_first"]


def gru_gates(x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None, *, reset_after=True):
    """The gates r, z, n of one step, (B, H) each, or of many, (T, B, H), in ordinary operations."""
    H = h.shape[-1]
    def part(a, dim, start, length): return a if a is None else narrow(a, dim=dim, start=start, length=length)
    a = linear(x, weight_ih, bias_ih)  # (..., 3H)
    b = linear(h, part(weight_hh, 0, 0, 2 * H), part(bias_hh, 0, 0, 2 * H))  # (..., 2H)
    r = sigmoid(part(a, -1, 0, H) + part(b, -1, 0, H))
    z = sigmoid(part(a, -1, H, H) + part(b, -1, H, H))
    candidate = (part(weight_hh, 0, 2 * H, H), part(bias_hh, 0, 2 * H, H))
    inner = r * linear(h, *candidate) if reset_after else linear(r * h, *candidate)
    return r, z, tanh(part(a, -1, 2 * H, H) + inner)


def gru_equations(x, h, *weights, reset_after=True):
    """One step in ordinary operations: the definition from which both operations are derived."""
    _, z, n = gru_gates(x, h, *weights, reset_after=reset_after)
    return (1 - z) * n + z * h


@fused
class gru:
    """hₜ = GRU(xₜ, hₜ₋₁) for t = 1 … T, the reset gate after the product; returns ((T, B, H), last h)

    r = σ(Wᵣx + Uᵣh + bᵣ)   z = σ(W_z x + U_z h + b_z)   n = tanh(Wₙx + bₙ + r (Uₙh + uₙ))
    h' = (1 - z) n + z h
    """
    nondifferentiable = ("lengths",)

    def definition(
        x, h0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, lengths=None, *, reverse=False
    ):
        def step(x, h): return (gru_equations(x, h, weight_ih, weight_hh, bias_ih, bias_hh),)
        return unrolled(step, x, (h0,), lengths, reverse)

    def forward(
        xp, x, h0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, lengths=None, *, reverse=False
    ):
        T, H, short = x.shape[0], h0.shape[1], x.dtype
        x, h0, weight_ih, weight_hh, bias_ih, bias_hh = wide(x, h0, weight_ih, weight_hh, bias_ih, bias_hh)
        of_candidate = xp.zeros_like(h0)  # uₙ for every row
        if bias_hh is not None:
            of_candidate += bias_hh[2 * H :]
            bias_hh = xp.concatenate((bias_hh[: 2 * H], xp.zeros(H, x.dtype)))
        gates, recurrent = scaled_products(xp, x, weight_ih, weight_hh, sum_of(bias_ih, bias_hh))
        before, after = trajectory(xp, h0, T, reverse)
        inner = room(xp, after.shape, after.dtype)  # Uₙh + uₙ
        times_recurrent = RepeatedProduct(xp, recurrent, len(h0))
        product, ended = xp.empty((len(h0), 3 * H), x.dtype), ended_rows(xp, lengths, T)
        for t in walk(T, reverse):
            r, z, n = gates[t, :, :H], gates[t, :, H : 2 * H], gates[t, :, 2 * H :]
            times_recurrent(before[t], out=product)
            squash(xp, gates[t, :, : 2 * H], product[:, : 2 * H])
            xp.add(product[:, 2 * H :], of_candidate, out=inner[t])
            n += r * inner[t]
            mix(xp, z, n, before[t], after[t])
            hold(xp, ended[t], after[t], before[t])
        kept = (x, weight_ih, weight_hh, gates, before, inner, ended)
        return (outputs(xp, after, ended, short), last(after, reverse, short)), kept

    def pullback(xp, g, kept, needs, *, reverse):
        x, weight_ih, weight_hh, gates, before, inner, ended = kept
        T, B, H = before.shape
        # Gradients of Uₙh, r, z and Wₙx, side by side: of the first three h hears, of the last three x.
        dz = room(xp, (T, B, 4 * H), x.dtype)
        times_recurrent = RepeatedProduct(xp, xp.roll(weight_hh, H, axis=0), B)  # rows of n, r, z
        dh = at_the_end(xp, g[1], before[0])
        for t in walk(T, not reverse):
            r, z, n = (gates[t, :, k * H : (k + 1) * H] for k in range(3))
            d_inner, dr, _, dn = (dz[t, :, k * H : (k + 1) * H] for k in range(4))
            dh_here = dh if g[0] is None else dh + g[0][t]
            unmix(xp, z, n, before[t], dh_here, dz[t, :, 2 * H : 3 * H], dn)
            xp.multiply(dn, r, out=d_inner)
            xp.multiply(d_inner, inner[t], out=dr)
            dr *= 1 - r
            hold(xp, ended[t], dz[t], 0)
            dh_next, dh = dh, times_recurrent(dz[t, :, : 3 * H], out=xp.empty_like(dh))
            dh += dh_here * z
            hold(xp, ended[t], dh, dh_next)
        dx, dW, db = linear.array_pullback(xp, dz[..., H:], (x, weight_ih), (needs[0], needs[2], needs[4]))
        wanted = (False, needs[3], needs[5])
        _, dU, du = linear.array_pullback(xp, dz[..., : 3 * H], (before, weight_hh), wanted)
        if needs[3]: dU = xp.roll(dU, -H, axis=0)
        if needs[5]: du = xp.roll(du, -H)
        return dx, dh, dW, dU, db, du, None


@fused
class gru_reset_first:
    """hₜ = GRU(xₜ, hₜ₋₁) for t = 1 … T, the reset gate before the product; returns ((T, B, H), last h)

    r, z and h' as in `gru`, but   n = tanh(Wₙx + Uₙ(r h) + bₙ)    (Cho et al. 2014, eqs. 5 to 8)
    """
    nondifferentiable = ("lengths",)

    def definition(
        x, h0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, lengths=None, *, reverse=False
    ):
        weights = (weight_ih, weight_hh, bias_ih, bias_hh)
        def step(x, h): return (gru_equations(x, h, *weights, reset_after=False),)
        return unrolled(step, x, (h0,), lengths, reverse)

    def forward(
        xp, x, h0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, lengths=None, *, reverse=False
    ):
        T, H, short = x.shape[0], h0.shape[1], x.dtype
        x, h0, weight_ih, weight_hh, bias_ih, bias_hh = wide(x, h0, weight_ih, weight_hh, bias_ih, bias_hh)
        gates, recurrent = scaled_products(xp, x, weight_ih, weight_hh, sum_of(bias_ih, bias_hh))
        times_gates = RepeatedProduct(xp, recurrent[:, : 2 * H], len(h0))
        times_candidate = RepeatedProduct(xp, recurrent[:, 2 * H :], len(h0))
        before, after = trajectory(xp, h0, T, reverse)
        remembered = room(xp, after.shape, after.dtype)  # r h
        of_gates, of_candidate = xp.empty((len(h0), 2 * H), x.dtype), xp.empty_like(h0)
        ended = ended_rows(xp, lengths, T)
        for t in walk(T, reverse):
            r, z, n = gates[t, :, :H], gates[t, :, H : 2 * H], gates[t, :, 2 * H :]
            squash(xp, gates[t, :, : 2 * H], times_gates(before[t], out=of_gates))
            n += times_candidate(xp.multiply(r, before[t], out=remembered[t]), out=of_candidate)
            mix(xp, z, n, before[t], after[t])
            hold(xp, ended[t], after[t], before[t])
        kept = (x, weight_ih, weight_hh, gates, before, remembered, ended)
        return (outputs(xp, after, ended, short), last(after, reverse, short)), kept

    def pullback(xp, g, kept, needs, *, reverse):
        x, weight_ih, weight_hh, gates, before, remembered, ended = kept
        T, B, H = before.shape
        dz = room(xp, gates.shape, gates.dtype)
        dh = at_the_end(xp, g[1], before[0])
        times_gates = RepeatedProduct(xp, weight_hh[: 2 * H], B)
        times_candidate = RepeatedProduct(xp, weight_hh[2 * H :], B)
        d_remembered = xp.empty_like(dh)
        for t in walk(T, not reverse):
            r, z, n = (gates[t, :, k * H : (k + 1) * H] for k in range(3))
            dr, _, dn = (dz[t, :, k * H : (k + 1) * H] for k in range(3))
            dh_here = dh if g[0] is None else dh + g[0][t]
            unmix(xp, z, n, before[t], dh_here, dz[t, :, H : 2 * H], dn)
            times_candidate(dn, out=d_remembered)
            d_remembered *= r
            xp.multiply(d_remembered, before[t], out=dr)
            dr *= 1 - r
            hold(xp, ended[t], dz[t], 0)
            dh_next, dh = dh, times_gates(dz[t, :, : 2 * H], out=xp.empty_like(dh))
            dh += dh_here * z
            dh += d_remembered
            hold(xp, ended[t], dh, dh_next)
        bias = needs[4] or needs[5]
        dx, dW, db = linear.array_pullback(xp, dz, (x, weight_ih), (needs[0], needs[2], bias))
        dU = None
        if needs[3]:
            heard = ((dz[..., : 2 * H], before), (dz[..., 2 * H :], remembered))
            wanted = (False, True, False)
            dU = xp.concatenate([linear.array_pullback(xp, d, (h, weight_hh), wanted)[1] for d, h in heard])
        return dx, dh, dW, dU, db, db, None


def scaled_products(xp, x, weight_ih, weight_hh, bias):
    """W x + b of all steps, (T, B, 3H), and Uᵀ, (H, 3H), with the ½ of r and z multiplied in."""
    s = xp.ones(weight_ih.shape[0], x.dtype)
    s[: 2 * weight_hh.shape[1]] = 0.5
    gates = linear(x, weight_ih * s[:, None], bias if bias is None else bias * s)
    return gates, (weight_hh * s[:, None]).T


def squash(xp, gates, product):
    """r and z in place, (B, 2H), from the halves of their inputs' two parts."""
    gates += product
    xp.tanh(gates, out=gates)
    gates *= 0.5
    gates += 0.5


def mix(xp, z, n, h, h_new):
    """Squash n in place, and write h' = (1 - z) n + z h, which is n + z (h - n)."""
    xp.tanh(n, out=n)
    xp.subtract(h, n, out=h_new)
    h_new *= z
    h_new += n


def unmix(xp, z, n, h, dh, dz, dn):
    """Write the gradients of what is squashed to z and n: dh (h - n) σ' and dh (1 - z) tanh'."""
    through = dh * (1 - z)
    xp.multiply(through, 1 - n * n, out=dn)
    through *= z  # σ' = z (1 - z)
    xp.multiply(through, h - n, out=dz)

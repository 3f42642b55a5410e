"""Floor 4: the LSTM, one step and a whole sequence.

Letters: T time steps, B batch, I input size, H hidden size.  The gates lie side by side in PyTorch's order
i, f, g, o.
"""

from minigrad.backend import accumulator
from minigrad.fused import fused
from minigrad.ops.elementwise import sigmoid, tanh, where
from minigrad.ops.linalg import column_sums, linear
from minigrad.ops.shape import narrow, reshape, select, stack


def lstm_equations(x, h, c, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    """One step of the LSTM in ordinary operations: the definition from which everything below is derived."""
    z = linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh)  # (B, 4H)
    H = c.shape[-1]
    i = sigmoid(narrow(z, dim=-1, start=0, length=H))  # input gate
    f = sigmoid(narrow(z, dim=-1, start=H, length=H))  # forget gate
    g = tanh(narrow(z, dim=-1, start=2 * H, length=H))  # candidate
    o = sigmoid(narrow(z, dim=-1, start=3 * H, length=H))  # output gate
    c = f * c + i * g
    h = o * tanh(c)
    return h, c


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
        bias_ih, bias_hh = wide(bias_ih, bias_hh)
        s = squash_scale(xp, c.shape[-1], x.dtype)
        z = gates_of_input(xp, x, weight_ih, bias_ih, bias_hh)
        z += xp.matmul(h, weight_hh.T)
        z *= s
        c_new, tanh_c, h_new = (xp.empty(c.shape, x.dtype) for _ in range(3))
        step(xp, z, s, c, c_new, tanh_c, h_new)
        kept = (x, h, c, weight_ih, weight_hh, z, tanh_c)
        return (h_new.astype(short, copy=False), c_new.astype(short, copy=False)), kept

    def pullback(xp, g, kept, needs):
        x, h, c, weight_ih, weight_hh, gates, tanh_c = kept
        slopes, through = local_slopes(xp, gates, c, tanh_c)
        dh = xp.zeros_like(c) if g[0] is None else g[0]
        dc = dh * through if g[1] is None else g[1] + dh * through
        dz = gate_gradients(slopes, dc, dh)
        bias = column_sums(xp, dz) if needs[5] or needs[6] else None
        return (
            xp.matmul(dz, weight_ih) if needs[0] else None,
            xp.matmul(dz, weight_hh) if needs[1] else None,
            dc * gates[:, c.shape[-1] : 2 * c.shape[-1]],
            xp.matmul(dz.T, x) if needs[3] else None,
            xp.matmul(dz.T, h) if needs[4] else None,
            bias,
            bias,
        )


@fused
class lstm:
    """h₁ … h_T = LSTM over a sequence x (T, B, I), in one direction; returns ((T, B, H), last h, last c)

    One node in place of T: the input's part of all gates is one product before the loop, each weight's
    gradient one product after it.  `lengths` (B,) ends each sequence at its own step: beyond it the outputs
    are 0 and the state stands still; in reverse the walk begins at the last real step.
    """
    nondifferentiable = ("lengths",)

    def definition(
        x, h0, c0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, lengths=None, *, reverse=False
    ):
        h, c, T = h0, c0, x.shape[0]
        outputs = [None] * T
        for t in reversed(range(T)) if reverse else range(T):
            x_t = select(x, dim=0, index=t)  # (B, I)
            h_new, c_new = lstm_equations(x_t, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
            if lengths is None:
                h, c, outputs[t] = h_new, c_new, h_new
            else:
                running = reshape(lengths > t, shape=(-1, 1))  # (B, 1)
                h, c = where(running, h_new, h), where(running, c_new, c)
                outputs[t] = where(running, h_new, 0.0)
        return stack(*outputs, dim=0), h, c

    def forward(
        xp, x, h0, c0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, lengths=None, *, reverse=False
    ):
        T, B, H, short = x.shape[0], x.shape[1], h0.shape[-1], x.dtype
        x, h0, c0, weight_ih, weight_hh = wide(x, h0, c0, weight_ih, weight_hh)
        bias_ih, bias_hh = wide(bias_ih, bias_hh)
        s = squash_scale(xp, H, x.dtype)
        gates = gates_of_input(xp, x.reshape(T * B, -1), weight_ih, bias_ih, bias_hh).reshape(T, B, 4 * H)
        gates *= s
        recurrent = xp.ascontiguousarray((weight_hh * s[:, None]).T)  # (H, 4H); strided: 1.6 times slower
        hs, cs, tanh_cs = (xp.empty((T, B, H), x.dtype) for _ in range(3))  # hs[t], cs[t]: after step t
        product = xp.empty((B, 4 * H), x.dtype)
        ended = ended_rows(xp, lengths, T)
        h, c = h0, c0
        for t in reversed(range(T)) if reverse else range(T):
            gates[t] += xp.matmul(h, recurrent, out=product)
            step(xp, gates[t], s, c, cs[t], tanh_cs[t], hs[t])
            if ended[t] is not None: hs[t][ended[t]], cs[t][ended[t]] = h[ended[t]], c[ended[t]]
            h, c = hs[t], cs[t]
        outputs = hs.astype(short)
        for t in range(T):
            if ended[t] is not None: outputs[t][ended[t]] = 0
        kept = (x, h0, c0, weight_ih, weight_hh, gates, hs, cs, tanh_cs, ended)
        return (outputs, h.astype(short), c.astype(short)), kept

    def pullback(xp, g, kept, needs, *, reverse):
        x, h0, c0, weight_ih, weight_hh, gates, hs, cs, tanh_cs, ended = kept
        T, B, H = hs.shape
        h_before, c_before = (states_before(xp, *pair, reverse) for pair in ((h0, hs), (c0, cs)))
        slopes, through = local_slopes(xp, gates, c_before, tanh_cs)
        dh = xp.zeros((B, H), x.dtype) if g[1] is None else g[1].astype(x.dtype)
        dc = xp.zeros((B, H), x.dtype) if g[2] is None else g[2].astype(x.dtype)
        dz = slopes  # step t reads slopes[t] and leaves its own gradient in their place
        for t in range(T) if reverse else reversed(range(T)):
            dh_here = dh if g[0] is None else dh + g[0][t]
            dc_here = dh_here * through[t]
            dc_here += dc
            gate_gradients(slopes[t], dc_here, dh_here)
            if ended[t] is not None: dz[t][ended[t]] = 0
            dh_before, dc_before = xp.matmul(dz[t], weight_hh), dc_here * gates[t, :, H : 2 * H]
            if ended[t] is not None:  # what has ended hands its gradient on
                dh_before[ended[t]], dc_before[ended[t]] = dh[ended[t]], dc[ended[t]]
            dh, dc = dh_before, dc_before
        flat = dz.reshape(T * B, 4 * H)
        bias = column_sums(xp, flat) if needs[5] or needs[6] else None
        return (
            xp.matmul(flat, weight_ih).reshape(x.shape) if needs[0] else None,
            dh,
            dc,
            xp.matmul(flat.T, x.reshape(T * B, -1)) if needs[3] else None,
            xp.matmul(flat.T, h_before.reshape(T * B, H)) if needs[4] else None,
            bias,
            bias,
            None,
        )


def wide(*arrays):
    """The arrays in the type in which sums are kept: float16 becomes float32."""
    return [a if a is None else a.astype(accumulator(a.dtype), copy=False) for a in arrays]


def gates_of_input(xp, x, weight_ih, bias_ih, bias_hh):
    """W x + b of all four gates, before they are squashed: (N, 4H)."""
    z = xp.matmul(x, weight_ih.T)
    if bias_ih is not None: z += bias_ih
    if bias_hh is not None: z += bias_hh
    return z


def squash_scale(xp, H, dtype):
    """s = ½ for the gates i, f, o and 1 for g, as one row (4H,): see `step`."""
    s = xp.full(4 * H, 0.5, dtype)
    s[2 * H : 3 * H] = 1
    return s


def step(xp, z, s, c, c_new, tanh_c, h_new):
    """Squash the gates in place, and write the new cell state, its tanh and the new output.

    z (B, 4H) comes multiplied by s.  s tanh(s z) + 1 - s is σ(z) for s = ½ and tanh(z) for s = 1, so that one
    tanh, NumPy's fastest transcendental function, does for all four gates.
    """
    H = c.shape[-1]
    xp.tanh(z, out=z)
    z *= s
    z += 1 - s
    xp.multiply(z[:, H : 2 * H], c, out=c_new)  # f c
    c_new += xp.multiply(z[:, :H], z[:, 2 * H : 3 * H], out=h_new)  # + i g
    xp.tanh(c_new, out=tanh_c)
    xp.multiply(z[:, 3 * H :], tanh_c, out=h_new)  # h' = o tanh c'


def ended_rows(xp, lengths, T):
    """For each step the rows whose sequence has ended, as a bool mask (B,); None where none has."""
    if lengths is None: return [None] * T
    ended = xp.arange(T)[:, None] >= lengths  # (T, B)
    return [rows if some else None for rows, some in zip(ended, ended.any(axis=1).tolist(), strict=True)]


def local_slopes(xp, gates, c_before, tanh_c):
    """All that the backward loop multiplies with, in bulk.

    What one unit of dc (gates i, f, g) or of dh (gate o) makes of the gates' inputs, (..., 4H); and what one
    unit of dh adds to dc, (..., H).
    """
    H = c_before.shape[-1]
    i, _, g, o = (gates[..., k * H : (k + 1) * H] for k in range(4))
    slopes = 1 - gates
    slopes *= gates  # σ' = σ (1 - σ), for i, f and o
    slopes[..., :H] *= g
    slopes[..., H : 2 * H] *= c_before
    slopes[..., 2 * H : 3 * H] = i * (1 - g * g)
    slopes[..., 3 * H :] *= tanh_c
    through = tanh_c * tanh_c
    xp.subtract(1, through, out=through)
    through *= o
    return slopes, through


def gate_gradients(slopes, dc, dh):
    """The gradients of the gates' inputs, left in the place of the slopes (B, 4H)."""
    H = dc.shape[-1]
    four = slopes.reshape(-1, 4, H)  # a view: one row of H for each gate
    four[:, :3] *= dc[:, None]
    four[:, 3] *= dh
    return slopes


def states_before(xp, first, states, reverse):
    """From the state after each step, and the very first one, to the state before each step: (T, B, H)."""
    return xp.concatenate((states[1:], first[None]) if reverse else (first[None], states[:-1]))

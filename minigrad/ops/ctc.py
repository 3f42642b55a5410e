"""Floor 4: connectionist temporal classification: the likelihood of a text whose timing is not known.

Graves, Fernández, Gomez and Schmidhuber 2006, "Connectionist temporal classification: labelling unsegmented
sequence data with recurrent neural networks", §4.  The text is written with blanks before, between and after
its letters; a path reads it in T steps, at each of which it stays, goes on by one, or skips a blank between
two letters that differ.

Letters: T steps, N texts, U = 2S + 1 places in the text with its blanks.
"""

import math

from minigrad.fused import fused
from minigrad.ops.choosing import maximum, where
from minigrad.ops.reduce import logsumexp
from minigrad.ops.shape import narrow, pad, reshape, stack

NEVER = -1e30  # in place of ln 0 = -∞, from which no derivative comes back


@fused
class ctc:
    """y = -ln p, p = the sum over all paths of the product of the probabilities on the way    (§4.1)

    log_probs (T, N, U) are those of the letter at each place of the text; skip (N, U): may a path come from
    two places before; steps (N,): how many steps count; final (N, U): where may a path end.
    """
    nondifferentiable = ("skip", "steps", "final")

    def definition(log_probs, skip, steps, final):
        log_probs, (_, _, places) = maximum(log_probs, NEVER), log_probs.shape
        first = narrow(log_probs[0], dim=-1, start=0, length=min(places, 2))
        reached = pad(first, widths=((0, places - first.shape[-1]),), value=NEVER)  # ln α₁
        for t in range(1, len(log_probs)):
            before = [moved(reached, 0), moved(reached, 1), where(skip, moved(reached, 2), NEVER)]
            onward = log_probs[t] + logsumexp(stack(*before), dim=0)  # (6), (7)
            reached = where(reshape(steps > t, shape=(*steps.shape, 1)), onward, reached)
        total = logsumexp(where(final, reached, NEVER), dim=-1)  # (8)
        return where(total < NEVER / 2, math.inf, -total)

    def forward(xp, log_probs, skip, steps, final):
        alpha = xp.full(log_probs.shape, -math.inf, log_probs.dtype)
        alpha[0, :, :2] = log_probs[0, :, :2]
        for t in range(1, len(alpha)):
            onward = log_probs[t] + arriving(xp, alpha[t - 1], skip)
            alpha[t] = xp.where((steps > t)[:, None], onward, alpha[t - 1])
        ends = xp.where(final, alpha[-1], -math.inf)
        top = ends.max(axis=1, keepdims=True)
        top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
        total = xp.log(xp.exp(ends - top).sum(axis=1, keepdims=True)) + top  # (N, 1)
        return -total[:, 0], (log_probs, skip, steps, final, alpha, total)

    def pullback(xp, g, kept, needs):
        log_probs, skip, steps, final, alpha, total = kept
        total = xp.where(xp.isfinite(total), total, xp.zeros_like(total))  # no path: no gradient
        ahead = xp.zeros_like(skip)
        ahead[:, :-2] = skip[:, 2:]
        beta = xp.where(final, xp.zeros_like(alpha[0]), -math.inf)  # of what comes after a step
        share = xp.zeros_like(alpha)
        for t in reversed(range(len(alpha))):
            if t + 1 < len(alpha):
                after = (log_probs[t + 1] + beta)[:, ::-1]
                beta = xp.where((steps > t + 1)[:, None], arriving(xp, after, ahead[:, ::-1])[:, ::-1], beta)
            share[t] = xp.exp(alpha[t] + beta - total) * (steps > t)[:, None]  # (14): the share of the paths
        return -g[:, None] * share, None, None, None


def moved(reached, count):
    """What is known of each place, now at the place `count` further on."""
    places = reached.shape[-1]
    count = min(count, places)
    return pad(narrow(reached, dim=-1, start=0, length=places - count), widths=((count, 0),), value=NEVER)


def arriving(xp, reached, skip):
    """The logarithm of the sum over the places from which a path may come, on arrays."""
    wide = xp.full((reached.shape[0], reached.shape[1] + 2), -math.inf, reached.dtype)
    wide[:, 2:] = reached
    two_before = xp.where(skip, wide[:, :-2], -math.inf)
    return xp.logaddexp(xp.logaddexp(reached, wide[:, 1:-1]), two_before)

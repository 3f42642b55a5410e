"""Schedules in many forms, as functions of a library's `lr_scheduler`, an optimiser and further options."""

STEPS = 80
RATES = [0.1, 0.02]  # of the two groups


class Decay:
    """A function that remembers how often it was called."""

    def __init__(self):
        self.calls = 0

    def __call__(self, t):
        self.calls += 1
        return 0.98**t


def sequence(s, o):
    parts = [s.LinearLR(o, 0.1, total_iters=10), s.CosineAnnealingLR(o, 20), s.ExponentialLR(o, 0.9)]
    return s.SequentialLR(o, parts, [10, 50])


def sequence_of_all_kinds(s, o):
    parts = [
        s.ConstantLR(o, 0.2, 3),
        s.StepLR(o, 4),
        s.PolynomialLR(o, 8, 2.0),
        s.MultiStepLR(o, [3, 5], 0.3),
        s.LambdaLR(o, lambda t: 0.8**t),
        s.MultiplicativeLR(o, lambda t: 0.97),
        s.CosineAnnealingWarmRestarts(o, 4, 2),
    ]
    return s.SequentialLR(o, parts, [6, 15, 25, 33, 40, 50])


def chain(s, o):
    return s.ChainedScheduler([s.ConstantLR(o, 0.1, 20), s.ExponentialLR(o, 0.97), s.StepLR(o, 30, 0.5)], o)


def chain_of_sequences(s, o):
    parts = [s.LinearLR(o, 0.5, total_iters=7), s.ExponentialLR(o, 0.95)]
    return s.ChainedScheduler([s.SequentialLR(o, parts, [7]), s.PolynomialLR(o, 60)])


SCHEDULES = {
    "LambdaLR": lambda s, o, **k: s.LambdaLR(o, lambda t: 0.95**t, **k),
    "LambdaLR of each group": lambda s, o, **k: s.LambdaLR(
        o, [lambda t: 1 / (t + 1), lambda t: min(t / 10, 1.0)], **k
    ),
    "LambdaLR of an object": lambda s, o: s.LambdaLR(o, [Decay(), Decay()]),
    "MultiplicativeLR": lambda s, o, **k: s.MultiplicativeLR(o, lambda t: 1 - 1 / (t + 9), **k),
    "MultiplicativeLR of each group": lambda s, o, **k: s.MultiplicativeLR(
        o, [lambda t: 0.9, lambda t: 1.01], **k
    ),
    "StepLR": lambda s, o, **k: s.StepLR(o, 7, **k),
    "StepLR of gamma 0": lambda s, o, **k: s.StepLR(o, 30, 0.0, **k),
    "MultiStepLR": lambda s, o, **k: s.MultiStepLR(o, [40, 3, 20, 20], 0.5, **k),
    "ConstantLR": lambda s, o, **k: s.ConstantLR(o, **k),
    "ConstantLR for long": lambda s, o, **k: s.ConstantLR(o, 0.7, 30, **k),
    "LinearLR": lambda s, o, **k: s.LinearLR(o, **k),
    "LinearLR down to 0": lambda s, o, **k: s.LinearLR(o, 1.0, 0.0, 40, **k),
    "ExponentialLR": lambda s, o, **k: s.ExponentialLR(o, 0.93, **k),
    "PolynomialLR": lambda s, o, **k: s.PolynomialLR(o, **k),
    "PolynomialLR of power 2.5": lambda s, o, **k: s.PolynomialLR(o, 60, 2.5, **k),
    "CosineAnnealingLR": lambda s, o, **k: s.CosineAnnealingLR(o, 80, **k),
    "CosineAnnealingLR and back": lambda s, o, **k: s.CosineAnnealingLR(o, 15, 0.001, **k),
    "CosineAnnealingLR of one step": lambda s, o, **k: s.CosineAnnealingLR(o, 1, **k),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 9),
    "CosineAnnealingWarmRestarts of growing periods": lambda s, o: s.CosineAnnealingWarmRestarts(
        o, 5, 2, 0.001
    ),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 0.5, 80),
    "OneCycleLR linear": lambda s, o: s.OneCycleLR(
        o, [0.5, 0.1], epochs=8, steps_per_epoch=10, anneal_strategy="linear"
    ),
    "OneCycleLR of three phases": lambda s, o: s.OneCycleLR(o, 0.5, 90, three_phase=True, pct_start=0.25),
    "OneCycleLR without momentum": lambda s, o: s.OneCycleLR(o, 0.5, 81, cycle_momentum=False, div_factor=5),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 7),
    "CyclicLR of each group": lambda s, o: s.CyclicLR(
        o, [0.01, 0.02], [0.1, 0.3], 5, 12, base_momentum=[0.7, 0.8], max_momentum=[0.9, 0.95]
    ),
    "CyclicLR triangular2": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 7, 5, mode="triangular2"),
    "CyclicLR exp_range": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 7, mode="exp_range", gamma=0.98),
    "CyclicLR by a function of cycles": lambda s, o: s.CyclicLR(
        o, 0.01, 0.1, 7, scale_fn=lambda x: 1 / x, cycle_momentum=False
    ),
    "CyclicLR by a function of steps": lambda s, o: s.CyclicLR(
        o, 0.01, 0.1, 7, scale_fn=lambda x: 0.99**x, scale_mode="iterations"
    ),
    "CyclicLR by an object": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 7, scale_fn=Decay()),
    "ReduceLROnPlateau": lambda s, o: s.ReduceLROnPlateau(o, patience=2),
    "ReduceLROnPlateau of a maximum": lambda s, o: s.ReduceLROnPlateau(
        o, "max", 0.5, 1, 0.2, cooldown=3, min_lr=[0.01, 0.005]
    ),
    "ReduceLROnPlateau by differences": lambda s, o: s.ReduceLROnPlateau(
        o, "min", 0.7, 3, 0.05, "abs", min_lr=0.001, eps=1e-3
    ),
    "ReduceLROnPlateau of a maximum by differences": lambda s, o: s.ReduceLROnPlateau(
        o, "max", 0.7, 3, 0.05, "abs"
    ),
    "SequentialLR": sequence,
    "SequentialLR of all kinds": sequence_of_all_kinds,
    "ChainedScheduler": chain,
    "ChainedScheduler of sequences": chain_of_sequences,
    "SWALR": lambda s, o: s.SWALR(o, 0.05),
    "SWALR linear": lambda s, o: s.SWALR(o, [0.05, 0.03], 25, "linear"),
    "SWALR at once": lambda s, o: s.SWALR(o, 0.05, 0),
}
OURS = {  # that PyTorch does not have
    "NoamLR": lambda s, o, **k: s.NoamLR(o, 512, 30, **k),
    "SequentialLR of NoamLR": lambda s, o: s.SequentialLR(o, [s.ConstantLR(o), s.NoamLR(o, 4, 9)], [20]),
}


def metric(step):
    """A loss that falls, rests and rises."""
    return 2.0 - 0.1 * min(step, 15) + 0.02 * (step % 7)

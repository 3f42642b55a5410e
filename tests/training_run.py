"""A small training run that is made of everything that has a state: for tests that stop it and go on."""

import random

import numpy as np

import minigrad as mg
from minigrad.checkpoint import load_checkpoint, restore, save_checkpoint, training_state
from minigrad.data import DataLoader
from minigrad.nn import functional as F
from minigrad.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from schedules import OURS, SCHEDULES, metric

STEPS = 11  # of a run; an epoch has four
OPTIMIZERS = {
    "SGD": lambda params: mg.optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda params: mg.optim.Adam(params, lr=0.01, amsgrad=True),
    "AdamW": lambda params: mg.optim.AdamW(params, lr=0.01),
    "AdamW of two groups": lambda params: mg.optim.AdamW(
        [{"params": params[:2]}, {"params": params[2:], "lr": 0.02}], lr=0.01
    ),
    "Adamax": lambda params: mg.optim.Adamax(params, lr=0.01),
    "NAdam": lambda params: mg.optim.NAdam(params, lr=0.01),
    "RAdam": lambda params: mg.optim.RAdam(params, lr=0.01),
    "Adagrad": lambda params: mg.optim.Adagrad(params, lr=0.01, lr_decay=0.1),
    "Adadelta": mg.optim.Adadelta,
    "RMSprop": lambda params: mg.optim.RMSprop(params, momentum=0.9, centered=True),
    "Rprop": mg.optim.Rprop,
    "ASGD": lambda params: mg.optim.ASGD(params, lr=0.1, lambd=0.1, t0=5),
    "Adafactor": lambda params: mg.optim.Adafactor(params, lr=0.01),
    "LBFGS": lambda params: mg.optim.LBFGS(params, lr=0.1, max_iter=2, history_size=3),
    "LBFGS strong Wolfe": lambda params: mg.optim.LBFGS(params, 0.1, 2, line_search_fn="strong_wolfe"),
    "Muon": lambda params: mg.optim.Muon([param for param in params if param.ndim == 2], lr=0.01),
}
AVERAGES = {"mean": {}, "EMA": {"multi_avg_fn": get_ema_multi_avg_fn(0.9)}, "buffers": {"use_buffers": True}}
ORDERS = {
    "its own generator": {"shuffle": True, "seed": 3},
    "the default generator": {"shuffle": True},
    "in order": {},
}


class Perceptron(mg.nn.Module):
    """Batch norm, which has buffers, and dropout, which draws."""

    def __init__(self):
        super().__init__()
        self.hidden, self.output = mg.nn.Linear(6, 5), mg.nn.Linear(5, 2)
        self.norm, self.dropout = mg.nn.BatchNorm1d(5), mg.nn.Dropout(0.3)

    def forward(self, x):
        return self.output(self.dropout(self.norm(self.hidden(x)).relu()))


class Recurrent(mg.nn.Module):
    """Dropout between two layers."""

    def __init__(self):
        super().__init__()
        self.lstm = mg.nn.LSTM(2, 4, num_layers=2, dropout=0.3, batch_first=True)
        self.output = mg.nn.Linear(4, 2)

    def forward(self, x):
        return self.output(self.lstm(x.reshape(-1, 3, 2))[0][:, -1])


MODELS = {"MLP": Perceptron, "LSTM": Recurrent}


class Run:
    """Its arguments are keys of the tables above; `random` and NumPy's global numbers are the caller's."""

    def __init__(self, model, optimizer, schedule, average, order):
        mg.manual_seed(1)
        data = np.random.default_rng(0).standard_normal((11, 8)).astype(np.float32)  # the last batch is short
        self.model = MODELS[model]()
        params = list(self.model.parameters())
        self.optimizer = OPTIMIZERS[optimizer](params)
        self.schedule = (SCHEDULES | OURS)[schedule](mg.optim.lr_scheduler, self.optimizer)
        self.average = AveragedModel(self.model, **AVERAGES[average])
        self.loader = DataLoader(list(data), 3, **ORDERS[order])
        self.noise = np.random.default_rng(5)
        names = ("model", "optimizer", "schedule", "average", "loader", "noise")
        self.parts = {name: vars(self)[name] for name in names}
        self.step, self.losses, self.coming = 0, [], self.batches()

    def batches(self):
        while True:
            yield from self.loader

    def train(self, until):
        for batch in self.coming:
            x, target = batch[:, :6], batch[:, 6:] + random.gauss(0, 0.1)
            x = x + (0.1 * self.noise.standard_normal(x.shape) + np.random.rand()).astype(np.float32)  # noqa: NPY002
            closure = self.closure(x, target)
            self.losses.append(self.optimizer.step(closure).item())
            self.average.update_parameters(self.model)
            self.step += 1
            if isinstance(self.schedule, mg.optim.lr_scheduler.ReduceLROnPlateau):
                self.schedule.step(metric(self.step))
            else:
                self.schedule.step()
            if self.step == until:
                break
        return self

    def closure(self, x, target):
        def compute():
            self.optimizer.zero_grad()
            loss = F.mse_loss(self.model(x), target)
            loss.backward()
            return loss

        return compute

    def save(self, path):
        save_checkpoint(training_state(self.parts, step=self.step, config={"steps": STEPS}), path)
        return path

    def resume(self, path):
        state = load_checkpoint(path)
        restore(state, self.parts)
        self.step = state["step"]
        return self

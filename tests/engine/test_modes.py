"""Recording or not: a matter of the thread, restored whatever happens, also in generators."""

import threading

import pytest

import minigrad as mg
from leaves import leaf, normal
from minigrad.errors import ShapeError
from minigrad.modes import TRACING, mode, tracing

ON, OFF = True, False


@pytest.fixture(autouse=True)
def _restored():
    """Each test begins, and must end, with recording on."""
    assert mg.is_grad_enabled()
    yield
    assert mg.is_grad_enabled()


def test_under_no_grad_nothing_is_recorded():
    x = leaf(1.0, 2.0)
    with mg.no_grad():
        y = x * x
        view = x[0]
        h, c = mg.ops.lstm_cell(*[normal(*shape) for shape in [(1, 2), (1, 3), (1, 3), (12, 2), (12, 3)]])
    assert [t.requires_grad for t in (y, view, h, c)] == [False] * 4
    assert (x.requires_grad, y.is_leaf, y.grad_fn) == (True, True, None)


def test_under_enable_grad_everything_is_recorded_again():
    x = leaf(1.0)
    with mg.no_grad():
        with mg.enable_grad():
            assert (x * x).requires_grad
        assert not (x * x).requires_grad


def test_a_leaf_can_be_made_under_no_grad():
    with mg.no_grad():
        x = mg.ones(2, requires_grad=True)
    (x * 2.0).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_graph_can_be_walked_under_no_grad():
    x = leaf(3.0)
    y = x * x
    with mg.no_grad():
        y.backward()
    assert x.grad.item() == 6.0


def test_the_mode_is_restored_after_an_exception():
    with pytest.raises(ShapeError), mg.no_grad():
        mg.ones(2) + mg.ones(3)
    assert mg.is_grad_enabled()


def test_one_context_manager_can_be_nested_in_itself():
    guard = mg.no_grad()
    with guard:
        with guard, guard:
            assert not mg.is_grad_enabled()
        assert not mg.is_grad_enabled()


def test_fifty_nested_modes_are_undone_one_by_one():
    stack = []
    for i in range(50):
        guard = (mg.no_grad, mg.enable_grad)[i % 2]()
        guard.__enter__()
        stack.append((guard, mg.is_grad_enabled()))
    assert [state for _, state in stack] == [OFF, ON] * 25
    while stack:
        guard, state = stack.pop()
        assert mg.is_grad_enabled() is state
        guard.__exit__(None, None, None)


def test_set_grad_enabled_is_a_statement_and_a_context_manager():
    mg.set_grad_enabled(False)
    assert not mg.is_grad_enabled()
    mg.set_grad_enabled(True)
    for wanted in (ON, OFF):
        with mg.set_grad_enabled(wanted):
            assert mg.is_grad_enabled() is wanted
        assert mg.is_grad_enabled()


DECORATORS = {
    "no_grad": lambda: mg.no_grad,
    "no_grad()": mg.no_grad,
    "set_grad_enabled(False)": lambda: mg.set_grad_enabled(False),
}


@pytest.mark.parametrize("name", DECORATORS)
def test_a_decorated_function_does_not_record(name):
    @DECORATORS[name]()
    def square(x, *, times=1):
        """x · x · times"""
        return x * x * times, mg.is_grad_enabled()

    y, state = square(leaf(3.0), times=2)
    assert (y.item(), y.requires_grad, state) == (18.0, False, OFF)
    assert (square.__name__, square.__doc__) == ("square", "x · x · times")


def test_a_decorated_function_may_call_itself():
    @mg.no_grad()
    def depth(n):
        return [mg.is_grad_enabled(), *(depth(n - 1) if n else [])]

    assert depth(5) == [OFF] * 6


def test_enable_grad_decorates_too():
    @mg.enable_grad()
    def cube(x):
        return x**3

    with mg.no_grad():
        assert cube(leaf(2.0)).requires_grad


@pytest.mark.parametrize("name", DECORATORS)
def test_a_decorated_generator_switches_the_mode_at_every_resume(name):
    @DECORATORS[name]()
    def states():
        for _ in range(3):
            yield mg.is_grad_enabled()
        return "done"

    iterator = states()
    pairs = [(next(iterator), mg.is_grad_enabled()) for _ in range(3)]
    assert pairs == [(OFF, ON)] * 3
    with pytest.raises(StopIteration, match="done"):
        next(iterator)


def test_two_generators_of_two_modes_do_not_disturb_each_other():
    @mg.no_grad()
    def off():
        while True:
            yield mg.is_grad_enabled()

    @mg.enable_grad()
    def on():
        while True:
            yield mg.is_grad_enabled()

    with mg.no_grad():
        pairs = [pair for pair, _ in zip(zip(off(), on(), strict=False), range(5), strict=False)]
        assert not mg.is_grad_enabled()
    assert pairs == [(OFF, ON)] * 5


def test_values_and_exceptions_are_sent_into_a_decorated_generator():
    log = []

    @mg.no_grad()
    def listener():
        while True:
            try:
                log.append(((yield), mg.is_grad_enabled()))
            except ValueError as error:
                log.append((str(error), mg.is_grad_enabled()))

    iterator = listener()
    next(iterator)
    iterator.send("a value")
    iterator.throw(ValueError("an error"))
    iterator.close()
    assert log == [("a value", OFF), ("an error", OFF)]


def test_a_closed_generator_cleans_up_in_its_own_mode():
    log = []

    @mg.no_grad()
    def careful():
        try:
            yield
        finally:
            log.append(mg.is_grad_enabled())

    iterator = careful()
    next(iterator)
    iterator.close()
    assert log == [OFF]


def test_an_exception_leaves_a_decorated_generator_and_restores_the_mode():
    @mg.no_grad()
    def failing():
        yield 1
        raise KeyError("x")

    iterator = failing()
    next(iterator)
    with pytest.raises(KeyError):
        next(iterator)
    assert list(iterator) == []


def test_what_is_asynchronous_cannot_be_decorated():
    async def coroutine():
        pass

    async def generator():
        yield

    for function in (coroutine, generator):
        with pytest.raises(TypeError, match="is asynchronous, and the mode would leak"):
            mg.no_grad()(function)


# ------------------------------------------------------------------------------------------------ threads


def in_threads(work, count=8):
    """The results, or the exceptions, of `work(number)` in as many threads."""
    results = [None] * count

    def run(number):
        try:
            results[number] = work(number)
        except Exception as error:  # noqa: BLE001 (handed to the test)
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def gradients_of(number, rounds=30):
    """What a thread computes: gradients, with stretches of no_grad and an exception in between."""
    found = []
    for i in range(rounds):
        x = normal(3, seed=number)
        with mg.no_grad():
            scale = mg.exp(x)
            if i % 3 == 0:
                with pytest.raises(ShapeError), mg.enable_grad():
                    scale @ mg.ones(7)
                assert not mg.is_grad_enabled()
        y = (mg.tanh(x * scale) * x).sum()
        y.backward(create_graph=bool(i % 2))
        found.append(x.grad.tolist())
    return found


def test_threads_that_mix_modes_compute_what_one_thread_does():
    results = in_threads(gradients_of)
    assert results == [gradients_of(number) for number in range(8)]


def test_a_new_thread_records_whatever_the_others_do():
    with mg.no_grad():
        assert in_threads(lambda _: mg.is_grad_enabled()) == [ON] * 8
    started, release = threading.Barrier(2), threading.Event()

    def holder():
        with mg.no_grad():
            started.wait()
            release.wait()

    thread = threading.Thread(target=holder)
    thread.start()
    started.wait()
    assert mg.is_grad_enabled()
    assert (leaf(1.0) * 2.0).requires_grad
    release.set()
    thread.join()


def test_threads_may_build_on_one_leaf():
    x = leaf(1.0, 2.0)
    branches = in_threads(lambda number: mg.exp(x * float(number)).sum())
    mg.stack(branches).sum().backward()
    expected = sum(number * mg.exp(x.detach() * float(number)) for number in range(8))
    assert x.grad.tolist() == pytest.approx(expected.tolist())


# ------------------------------------------------------------------------------------------------ tracing


def test_tracing_notes_lines_inputs_and_norms_of_gradients():
    x = leaf(3.0, 4.0)
    with tracing():
        assert mode.recording == TRACING
        y = x * 2.0
        y.backward(mg.ones(2))
    note = y.grad_fn.note
    assert note.line.startswith("test_modes.py:")
    assert note.inputs == (((2,), "float64"), "2.0")
    assert note.gradient == pytest.approx(2**0.5)
    assert mode.recording is True


def test_tracing_records_which_node_a_gradient_belongs_to():
    x = leaf(0.5)
    with tracing():
        y = mg.tanh(x)
        (g,) = mg.autograd.grad(y, x, create_graph=True)
    assert g.grad_fn.note.gradient_of is y.grad_fn
    assert y.grad_fn.note.gradient_of is None
    assert mode.gradient_of is None


def test_without_tracing_nothing_is_noted():
    y = leaf(0.5) * 2.0
    y.backward()
    assert y.grad_fn.note is None


def test_tracing_does_not_record_under_no_grad():
    x = leaf(0.5)
    with tracing(), mg.no_grad():
        assert not (x * 2.0).requires_grad
    with mg.no_grad(), tracing():
        assert not (x * 2.0).requires_grad

"""The device of these tests: the fake one, and by `pytest -m gpu` a real one, where there is one."""

import pytest

import fakecupy
import minigrad as mg


@pytest.fixture(scope="module", params=["fake", pytest.param("real", marks=pytest.mark.gpu)])
def device(request):
    """ "cuda:0", on the GPU or on what stands for it."""
    if request.param == "fake":
        with fakecupy.installed():
            yield "cuda:0"
        return
    yield request.getfixturevalue("gpu")


@pytest.fixture(scope="module")
def gpu():
    """A real one, for what only it can answer."""
    if not mg.cuda.is_available():
        pytest.skip("no GPU here")
    yield "cuda:0"
    mg.cuda.empty_cache()


@pytest.fixture(params=[mg.float64, mg.float32], ids=str)
def dtype(request):
    return request.param

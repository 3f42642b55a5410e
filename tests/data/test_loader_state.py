"""DataLoader.state_dict: a pass goes on, in the middle, with the batches that were still to come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.data import BatchSampler, BucketBatchSampler, DataError, DataLoader, RandomSampler

LOADERS = {
    "in order": lambda: DataLoader(range(10), 3),
    "dropping the last": lambda: DataLoader(range(10), 3, shuffle=True, seed=4, drop_last=True),
    "shuffled by a seed": lambda: DataLoader(range(10), 3, shuffle=True, seed=4),
    "shuffled by the default generator": lambda: DataLoader(range(10), 3, shuffle=True),
    "drawn with replacement": lambda: DataLoader(
        range(10), 3, sampler=RandomSampler(range(10), replacement=True, generator=mg.Generator(4))
    ),
    "drawn more than once": lambda: DataLoader(
        range(10), 3, sampler=RandomSampler(range(10), num_samples=25)
    ),
    "an order of one's own": lambda: DataLoader(range(10), 3, sampler=[3, 1, 4, 1, 5, 9, 2]),
    "buckets": lambda: DataLoader(range(10), batch_sampler=BucketBatchSampler([5, 3, 8, 1, 9, 2], 2, seed=4)),
    "a batch sampler": lambda: DataLoader(
        range(10), batch_sampler=BatchSampler(RandomSampler(range(10)), 4, drop_last=False)
    ),
}


def endless(loader):
    while True:
        for batch in loader:
            mg.rand(3)  # as dropout does, between the batches
            yield batch.tolist()


@given(st.sampled_from(sorted(LOADERS)), st.integers(0, 14), st.integers(0, 6))
def test_a_loader_goes_on_where_it_stood_also_a_second_time(name, first, second):
    mg.manual_seed(2)
    batches = endless(loader := LOADERS[name]())
    for stop in (first, second):
        for _ in range(stop):
            next(batches)
        state, random = loader.state_dict(), mg.default_generator().get_state()
        expected = [next(batches) for _ in range(9)]
        mg.manual_seed(77)
        loader = LOADERS[name]()
        loader.load_state_dict(state)
        mg.default_generator().set_state(random)
        assert loader.state_dict() == state
        batches = endless(loader)
        assert [next(batches) for _ in range(9)] == expected


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"batch_sampler": {}}, "which another kind of loader has saved"),
        ({"position": 9, "before": None, "generator": None}, "got position 9, expected 0 to 4"),
        ({"position": True, "before": None, "generator": None}, "got position True"),
        ({"position": 0, "before": None, "generator": {"seed": 1, "offset": 1}}, "one of the two loaders"),
    ],
)
def test_the_state_of_another_loader_is_refused(state, words):
    loader = LOADERS["in order"]()
    with pytest.raises(DataError, match=words):
        loader.load_state_dict(state)
    assert loader.state_dict() == {"position": 0, "before": None, "generator": None}

"""Parts and shares add up to the whole batch."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.errors import InputError
from napari_adacs.training.batch import join
from napari_adacs.training.loader import Loader, Prefetch
from napari_adacs.training.pairs import PairList
from napari_adacs.training.processes import Processes
from tests.training.conftest import make_config, make_pairs


def loader(accumulation=1, rank=0, size=1, **changes):
    config = make_config(
        batch_size=4, optimiser={'accumulation': accumulation}, **changes
    )
    return Loader(PairList(make_pairs()), config, Processes(rank, size))


def assert_same(first, second):
    assert first.names == second.names
    for name in ('moving', 'fixed', 'moving_masks', 'fixed_masks'):
        assert torch.equal(getattr(first, name), getattr(second, name))


@pytest.mark.parametrize('step', [0, 7])
def test_parts_add_up_to_the_batch(step):
    (whole,) = loader().parts(step, nuisance=True)
    for accumulation in (2, 4):
        parts = loader(accumulation).parts(step, nuisance=True)
        assert len(parts) == accumulation
        assert_same(join(parts), whole)


def test_shares_of_processes_add_up_to_the_batch():
    (whole,) = loader().parts(3, nuisance=True)
    parts = [
        part
        for rank in (0, 1)
        for part in loader(2, rank, 2).parts(3, nuisance=True)
    ]
    assert len(parts) == 4
    assert_same(join(parts), whole)


def test_steps_and_seeds_differ():
    drawn = {tuple(loader().indices(step)) for step in range(20)}
    assert len(drawn) > 10
    assert loader(seed=1).indices(0) != loader(seed=2).indices(0)


def test_every_pair_has_its_turn():
    drawn = [i for step in range(100) for i in loader().indices(step)]
    counts = torch.bincount(torch.tensor(drawn), minlength=6)
    assert (counts > 40).all()


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(InputError, match='multiple of 3'):
        loader(1, 0, 3)


@pytest.mark.parametrize('workers', [0, 1, 3])
def test_batches_made_ahead_are_the_same(workers):
    make = loader().parts
    with Prefetch(lambda s: make(s, True), workers, last=5) as batches:
        for step in (2, 3, 4):
            assert_same(batches(step)[0], make(step, True)[0])


def test_an_error_of_a_worker_is_told():
    def broken(step):
        raise InputError('The file is gone.')

    with (
        Prefetch(broken, 2, 9) as batches,
        pytest.raises(InputError, match='gone'),
    ):
        batches(0)

"""Backends give the same field; eta; threads."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_adacs.errors import CancelledError, DeviceError, InputError
from napari_adacs.models.model import build_model
from napari_adacs.registration import openvino as ours
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.register import register
from napari_adacs.registration.threads import (
    limited_threads,
    sensible_threads,
)
from tests.small_models import (
    small_diffusemorph,
    small_model,
    small_pyramid,
)


def images(shape=(30, 41)):
    axes = np.meshgrid(*[np.linspace(0, 1, n) for n in shape], indexing='ij')
    return [
        np.exp(-sum((a - c) ** 2 for a in axes) / 0.04) for c in (0.45, 0.55)
    ]


def fields(model, pair, **options):
    return register(*pair, model, **options)


@pytest.mark.parametrize('ndim', [2, 3])
def test_the_fast_way_registers_the_same(ndim):
    model = small_model(ndim)
    pair = images((30, 41) if ndim == 2 else (20, 21, 22))
    fast, plain = (fields(model, pair, backend=b) for b in ('auto', 'plain'))
    np.testing.assert_allclose(
        fast.field.voxels, plain.field.voxels, atol=1e-5
    )
    for name, values in plain.maps.items():
        np.testing.assert_allclose(fast.maps[name], values, atol=1e-5)


def test_an_unknown_backend_is_refused():
    with pytest.raises(InputError, match='Known backends'):
        RunConfig(backend='tensorflow')


def test_cancelling_reaches_the_blocks_of_a_network():
    seen: list[float] = []

    def cancel() -> bool:
        # The networks ask between their parts, not the stages alone.
        seen.append(0.0)
        return len(seen) > 15

    with pytest.raises(CancelledError):
        register(*images(), small_model(), cancel=cancel)


class TestOpenVINO:
    """With the package, and what is said without it."""

    @pytest.fixture(autouse=True)
    def fresh(self):
        ours._COMPILED.clear()

    @pytest.mark.parametrize('name', ['voxelmorph', 'diffusemorph', 'pyramid'])
    def test_it_registers_the_same(self, name):
        pytest.importorskip('openvino')
        model = {
            'voxelmorph': small_model,
            'diffusemorph': small_diffusemorph,
            'pyramid': small_pyramid,
        }[name]()
        found, plain = (
            fields(model, images(), backend=b) for b in ('openvino', 'plain')
        )
        np.testing.assert_allclose(
            found.field.voxels, plain.field.voxels, atol=1e-4
        )
        for key, values in plain.maps.items():
            np.testing.assert_allclose(found.maps[key], values, atol=1e-4)

    def test_what_was_compiled_is_kept(self, monkeypatch):
        pytest.importorskip('openvino')
        fields(small_model(), images(), backend='openvino')
        count = len(ours._COMPILED)
        assert count == 3  # displacement, scoring, variance

        def never(*_):
            raise AssertionError('compiled again')

        monkeypatch.setattr(ours, '_compile', never)
        # The same weights in another object.
        fields(small_model(), images(), backend='openvino')
        with pytest.raises(AssertionError, match='compiled again'):
            fields(small_model(flow=0.2), images(), backend='openvino')

    def test_without_the_package_torch_takes_its_place(self, monkeypatch):
        monkeypatch.setitem(sys.modules, 'openvino', None)
        found = fields(small_model(), images(), backend='openvino')
        assert any('napari-adacs[openvino]' in note for note in found.notes)
        assert found.config.backend == 'openvino'
        own = fields(small_model(), images())
        np.testing.assert_array_equal(found.field.voxels, own.field.voxels)
        assert not any('OpenVINO' in note for note in own.notes)

    def test_a_network_it_cannot_compile_is_a_readable_error(
        self, monkeypatch
    ):
        openvino = pytest.importorskip('openvino')

        def fails(*_, **__):
            raise RuntimeError('unsupported operation\nand a long trace')

        monkeypatch.setattr(openvino, 'convert_model', fails)
        model = small_model()
        with pytest.raises(DeviceError, match='unsupported operation'):
            fields(model, images(), backend='openvino')
        # The model works on in another way.
        assert fields(model, images()).field.voxels.shape == (2, 30, 41)

    def test_it_is_for_the_cpu(self):
        with (
            pytest.raises(DeviceError, match='CPU'),
            ours.compiled([], torch.device('cuda')),
        ):
            pass


class TestThreads:
    """The setting reaches torch, and only while registering."""

    def test_it_holds_while_the_networks_run(self):
        before, seen = torch.get_num_threads(), []
        model = small_model()
        model.displacement.flow.register_forward_hook(
            lambda *_: seen.append(torch.get_num_threads())
        )
        fields(model, images(), threads=3, backend='plain')
        assert set(seen) == {3}
        assert torch.get_num_threads() == before

    def test_one_where_others_keep_the_cores_busy(self, monkeypatch):
        cores = os.cpu_count() or 1
        for load, expected in ((0.0, 4), (1.0 * cores, 4), (2.0 * cores, 1)):
            monkeypatch.setattr(
                os, 'getloadavg', lambda load=load: (0, load, 0), raising=False
            )
            assert sensible_threads(4) == expected
        monkeypatch.setattr(os, 'getloadavg', lambda: (0, 9.0 * cores, 0))
        with limited_threads(2):
            assert torch.get_num_threads() == 2

    def test_systems_without_a_load_have_the_usual(self, monkeypatch):
        monkeypatch.delattr(os, 'getloadavg', raising=False)
        assert sensible_threads(4) == 4


class TestEta:
    """DiffuseMorph: another scale of the score, the score computed once."""

    def test_it_changes_the_field(self):
        model, pair = small_diffusemorph(), images()
        one, half = (fields(model, pair, eta=e) for e in (1.0, 0.5))
        assert np.abs(one.field.voxels - half.field.voxels).max() > 1e-3
        own = fields(model, pair)
        np.testing.assert_array_equal(own.field.voxels, one.field.voxels)

    def test_again_is_the_same_as_anew_without_the_score_network(self):
        model, pair = small_diffusemorph(), images()
        first = fields(model, pair)
        calls: list[int] = []
        model.displacement.denoise_fn.register_forward_hook(
            lambda *_: calls.append(1)
        )
        found = first.with_eta(0.3)
        assert calls == []
        anew = fields(model, pair, eta=0.3)
        np.testing.assert_array_equal(found.field.voxels, anew.field.voxels)
        np.testing.assert_array_equal(found.warped, anew.warped)
        assert set(found.maps) == set(anew.maps) == {'score', 'weight'}
        assert found.config == replace(first.config, eta=0.3)
        # And once more, from what came out.
        again = found.with_eta(1.0)
        np.testing.assert_array_equal(again.field.voxels, first.field.voxels)

    def test_refining_is_not_repeated(self):
        result = fields(small_diffusemorph(), images(), refine_steps=2)
        assert result.config.refine_steps == 2
        assert result.with_eta(0.5).config.refine_steps == 0

    def test_the_model_keeps_its_own(self):
        model = small_diffusemorph()
        fields(model, images(), eta=0.1)
        assert model.displacement.eta == 1.0

    def test_other_networks_have_none(self):
        assert fields(small_model(), images()).with_eta is None
        with pytest.raises(InputError, match='no eta'):
            fields(small_model(), images(), eta=0.5)

    def test_it_must_be_a_number(self):
        with pytest.raises(InputError, match='eta'):
            RunConfig(eta=float('nan'))

    def test_the_published_range_of_intensities_is_an_option(self):
        """Networks of the authors see images in (-1, 1)."""
        plain, published = (
            small_diffusemorph(input_range=r) for r in ((0, 1), (-1, 1))
        )
        seen: list[float] = []
        published.displacement.field_fn.inconv.register_forward_pre_hook(
            lambda _, inputs: seen.append(float(inputs[0][:, 0].min()))
        )
        found = fields(published, images())
        assert seen == pytest.approx([-1.0])
        other = fields(plain, images())
        assert np.abs(found.field.voxels - other.field.voxels).max() > 1e-4
        assert build_model(published.header).displacement.low == -1

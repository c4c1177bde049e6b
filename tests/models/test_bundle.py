"""Bundles: round trip, refusal of everything else, nothing executed."""

from __future__ import annotations

import json
import pickle
import struct

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from napari_adacs.errors import ModelError
from napari_adacs.models.bundle import load_bundle, read_header, save_bundle
from napari_adacs.models.header import ModelHeader, Preprocessing
from napari_adacs.models.library import find_model, list_models, load_model
from napari_adacs.models.model import build_model

SMALL = {'encoder': [4, 8], 'decoder': [8, 8, 4]}


def header(**changes):
    values = {
        'name': 'small-2d',
        'ndim': 2,
        'network': 'voxelmorph',
        'network_options': SMALL,
        'scheme': 'adacs',
        'auxiliaries': {'scoring': SMALL, 'variance': SMALL},
        'licence': 'BSD-3-Clause',
    }
    return ModelHeader(**(values | changes))


@pytest.fixture
def bundle(tmp_path):
    path = tmp_path / 'small.safetensors'
    torch.manual_seed(0)
    save_bundle(path, build_model(header()))
    return path


def test_round_trip_keeps_every_weight(tmp_path):
    torch.manual_seed(0)
    model = build_model(header())
    path = tmp_path / 'a.safetensors'
    save_bundle(path, model)
    again = load_bundle(path)
    assert again.header == model.header
    for role, module in model.modules().items():
        for name, value in module.state_dict().items():
            other = again.modules()[role].state_dict()[name]
            torch.testing.assert_close(other, value, atol=0, rtol=0)


def test_half_precision_halves_the_file(bundle, tmp_path):
    model = load_bundle(bundle)
    path = tmp_path / 'half.safetensors'
    save_bundle(path, model, storage='half')
    assert path.stat().st_size < 0.7 * bundle.stat().st_size
    weights = load_bundle(path).displacement.flow.weight
    assert weights.dtype == torch.float32
    torch.testing.assert_close(
        weights, model.displacement.flow.weight, atol=1e-7, rtol=1e-3
    )


def test_a_scale_of_the_wrong_shape_is_one_sentence(bundle, tmp_path):
    path = tmp_path / 'byte.safetensors'
    save_bundle(path, load_bundle(bundle), storage='byte')
    tensors = load_file(path)
    with safe_open(path, 'pt') as file:
        metadata = file.metadata()
    key = next(key for key in tensors if key.endswith('.scale'))
    whole = dict(tensors)
    tensors[key] = tensors[key][:-1].clone()
    save_file(tensors, path, metadata)
    with pytest.raises(ModelError, match='do not fit'):
        load_bundle(path)
    whole[key] = torch.full_like(whole[key], 3e38)
    save_file(whole, path, metadata)
    with pytest.raises(ModelError, match='NaN or infinite'):
        load_bundle(path)


def test_a_failed_save_leaves_the_old_file(bundle, monkeypatch):
    before = bundle.read_bytes()

    def fail(*_args, **_kwargs):
        raise RuntimeError('no')

    monkeypatch.setattr('safetensors.torch.save', fail)
    with pytest.raises(RuntimeError):
        save_bundle(bundle, build_model(header()))
    assert bundle.read_bytes() == before
    assert list(bundle.parent.iterdir()) == [bundle]


class Malicious:
    """Creates a file when unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return open, (str(self.marker), 'w')


def test_a_pickle_is_refused_and_not_executed(tmp_path):
    marker = tmp_path / 'executed'
    path = tmp_path / 'evil.safetensors'
    path.write_bytes(pickle.dumps(Malicious(marker)))
    with pytest.raises(ModelError, match='not a napari-adacs model'):
        load_bundle(path)
    assert not marker.exists()


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'short',
        struct.pack('<Q', 2**62) + b'{}',
        struct.pack('<Q', 2) + b'{}',
        struct.pack('<Q', 5) + b'[1,2]',
        struct.pack('<Q', 3) + b'\xff\xfe\xfd',
    ],
)
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / 'x.safetensors'
    path.write_bytes(content)
    with pytest.raises(ModelError, match='not a napari-adacs model'):
        read_header(path)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(ModelError, match='cannot be read'):
        read_header(tmp_path / 'none.safetensors')


def test_a_truncated_bundle_is_refused(bundle):
    bundle.write_bytes(bundle.read_bytes()[:-100])
    with pytest.raises(ModelError, match='damaged'):
        load_bundle(bundle)


def rewrite(path, change):
    """Save the bundle again with changed tensors or header."""
    model = load_bundle(path)
    tensors = {
        f'{role}.{name}': value
        for role, module in model.modules().items()
        for name, value in module.state_dict().items()
    }
    text = model.header.to_json()
    tensors, text = change(tensors, text)
    save_file(tensors, path, metadata={'napari_adacs': text})


def test_weights_that_are_not_finite_are_refused(bundle):
    def change(tensors, text):
        tensors['displacement.flow.weight'][0] = float('nan')
        return tensors, text

    rewrite(bundle, change)
    with pytest.raises(ModelError, match='NaN'):
        load_bundle(bundle)


def test_weights_that_do_not_fit_the_header_are_refused(bundle):
    def change(tensors, text):
        tensors.pop('scoring.scoring_mask.weight')
        return tensors, text

    rewrite(bundle, change)
    with pytest.raises(ModelError, match='scoring weights'):
        load_bundle(bundle)


def test_a_newer_format_asks_for_an_update(bundle):
    def change(tensors, text):
        return tensors, json.dumps(json.loads(text) | {'format': 99})

    rewrite(bundle, change)
    with pytest.raises(ModelError, match='Update'):
        read_header(bundle)


def test_unknown_header_keys_are_ignored(bundle):
    def change(tensors, text):
        return tensors, json.dumps(json.loads(text) | {'colour': 'blue'})

    rewrite(bundle, change)
    assert read_header(bundle).name == 'small-2d'


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'network': 'resnet'}, 'no network called'),
        ({'scheme': 'magic'}, 'no weighting scheme'),
        ({'network_options': {'layers': 3}}, 'do not fit'),
    ],
)
def test_headers_that_name_unknown_things_are_refused(changes, message):
    with pytest.raises(ModelError, match=message):
        build_model(header(**changes))


def test_the_library_finds_names_paths_and_the_default(
    bundle, tmp_path, monkeypatch
):
    monkeypatch.setenv('NAPARI_ADACS_MODELS', str(tmp_path))
    assert 'small-2d' in [e.name for e in list_models(2)]
    assert 'small-2d' not in [e.name for e in list_models(3)]
    assert find_model('small-2d').path == bundle
    assert find_model(str(bundle)).header.name == 'small-2d'
    assert find_model('auto', 2).header.ndim == 2
    assert load_model(bundle).header.name == 'small-2d'


def test_an_unknown_model_is_refused_with_a_guess(
    bundle, tmp_path, monkeypatch
):
    monkeypatch.setenv('NAPARI_ADACS_MODELS', str(tmp_path))
    with pytest.raises(ModelError, match="Did you mean 'small-2d'"):
        load_model('smal-2d')


def test_files_that_are_no_bundles_do_not_break_the_list(
    bundle, tmp_path, monkeypatch
):
    monkeypatch.setenv('NAPARI_ADACS_MODELS', str(tmp_path))
    (tmp_path / 'broken.safetensors').write_bytes(b'nonsense')
    assert [e.name for e in list_models() if e.source == 'user'] == [
        'small-2d'
    ]


@pytest.mark.parametrize(
    ('grid', 'shape', 'image', 'expected'),
    [
        ('resize', (64, 64), (40, 50), (64, 64)),
        ('pad', (64, 64), (400, 500), ()),
        ('fit', (128, 128), (708, 584), (128, 128)),
        ('fit', (128, 128), (256, 256), ()),
        ('fit', (160, 192, 224), (64, 64, 64), ()),
        ('fit', (160, 192, 224), (512, 512, 300), (160, 192, 224)),
    ],
)
def test_when_images_are_resampled(grid, shape, image, expected):
    assert Preprocessing(grid, shape).resampled(image) == expected

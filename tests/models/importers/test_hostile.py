"""Files made to do harm: refused in a sentence, with nothing done."""

from __future__ import annotations

import io
import pickle
import struct
import sys
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import napari_adacs.models.importers as importers
from napari_adacs.errors import ModelError
from napari_adacs.models.importers.containers import open_checkpoint
from napari_adacs.models.importers.convert import import_checkpoint
from napari_adacs.models.importers.registry import inspect_checkpoint
from napari_adacs.models.importers.torch_legacy import MAGIC
from napari_adacs.models.library import load_model
from napari_adacs.networks.voxelmorph import VoxelMorph

SMALL = {'encoder': [4, 8], 'decoder': [8, 8, 4]}


class Runs:
    """Creates a file when unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return open, (str(self.marker), 'w')


@pytest.fixture
def marker(tmp_path):
    path = tmp_path / 'executed'
    yield path
    assert not path.exists()


def state():
    return VoxelMorph(2, **SMALL).state_dict()


def with_pickle(path: Path, description: bytes) -> Path:
    """Write an archive like torch's around a pickle."""
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('archive/data.pkl', description)
        archive.writestr('archive/byteorder', b'little')
        archive.writestr('archive/data/0', bytes(64))
        archive.writestr('archive/version', b'3\n')
    return path


@pytest.mark.parametrize('zipped', [True, False])
def test_a_pickle_that_runs_something_is_refused(tmp_path, marker, zipped):
    path = tmp_path / 'evil.pt'
    torch.save(
        {'model_state': state(), 'extra': Runs(marker)},
        path,
        _use_new_zipfile_serialization=zipped,
    )
    # the file works: whoever loads it without care runs it
    name = 'io.open' if sys.version_info >= (3, 11) else '_io.open'
    with pytest.raises(ModelError) as refused:
        load_model(path)
    said = str(refused.value)
    assert name in said or '_io.open' in said
    assert 'nothing of it was run' in said


def test_that_file_would_have_run(tmp_path):
    marker = tmp_path / 'ran'
    path = tmp_path / 'evil.pt'
    torch.save(Runs(marker), path)
    torch.load(path, weights_only=False)
    assert marker.exists()


@pytest.mark.parametrize(
    'code',
    [
        b'cos\nsystem\n(S"touch x"\ntR.',
        b'cbuiltins\neval\n(S"1"\ntR.',
        b"(S'touch x'\nios\nsystem\n.",
        b'\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R.',
        b'ctorch\nload\n(S"x"\ntR.',
        b'ctorch.storage\n_load_from_bytes\n(S"x"\ntR.',
        b'ccollections\nOrderedDict.fromkeys\n(tR.',
        b'cnapari_adacs.models.bundle\nsave_bundle\n(tR.',
    ],
)
@pytest.mark.parametrize('kind', ['zip', 'legacy'])
def test_names_outside_the_list_are_refused(tmp_path, code, kind):
    path = tmp_path / 'x'
    if kind == 'zip':
        with_pickle(path, code)
    else:
        path.write_bytes(MAGIC + code)
    with pytest.raises(ModelError, match='nothing of it was'):
        inspect_checkpoint(path)


@pytest.mark.parametrize(
    'code',
    [
        # a new object of a class that is on the list, with its own state
        b'\x80\x02ccollections\nOrderedDict\n)\x81.',
        # a call of something that is no function of the list
        b'\x80\x02X\x01\x00\x00\x00a)R.',
        b'\x80\x02ctorch\nFloatStorage\n)R.',
        # attributes set on what stands for a name
        b'\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}b.',
        # keys whose hash could exhaust the stack
        b'\x80\x02}' + b')' + b'\x85' * 200_000 + b'K\x01s.',
        # sets, arrays, out-of-band buffers, extension codes
        b'\x80\x04\x8f.',
        b'\x80\x05\x96\xff\xff\xff\xff\xff\x00\x00\x00.',
        b'\x80\x05\x97.',
        b'\x80\x02\x82\x01.',
        # a text encoded as anything but bytes
        b'\x80\x02c_codecs\nencode\n(X\x01\x00\x00\x00aX\x02\x00\x00\x00utR.',
    ],
)
def test_instructions_that_no_checkpoint_needs_are_refused(tmp_path, code):
    with pytest.raises(ModelError, match='nothing of it was used'):
        inspect_checkpoint(with_pickle(tmp_path / 'x', code))


@pytest.mark.parametrize(
    'code',
    [
        b'',
        b'\x80\x02',
        b'\x80\x02}q\x00',
        b'\x80\x09}.',
        b'.',
        b'\xff\xfe',
        b'\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fxx.',
        b'\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f}.',
        b'I' + b'9' * 9000 + b'\n.',
        b'h\x07.',
        b'(' * 100_000 + b'.',
    ],
)
def test_pickles_that_make_no_sense_are_damaged(tmp_path, code):
    with pytest.raises(ModelError, match='damaged'):
        inspect_checkpoint(with_pickle(tmp_path / 'x', code))


def test_a_memo_of_enormous_numbers_costs_nothing(tmp_path):
    """C's unpickler would allocate 32 GB for this."""
    code = b'\x80\x02}r\xff\xff\xff\xff.'
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match='no weights'):
            inspect_checkpoint(with_pickle(tmp_path / 'x', code))
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def rebuilt(storage_size, offset, size, stride):
    """Return a pickle with one tensor over the 16 floats of the archive."""

    def numbers(values):
        return (
            b'(' + b''.join(b'J' + struct.pack('<i', v) for v in values) + b't'
        )

    pid = (
        b'(X\x07\x00\x00\x00storagectorch\nFloatStorage\n'
        b'X\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ'
        + struct.pack('<i', storage_size)
        + b'tQ'
    )
    tensor = (
        b'ctorch._utils\n_rebuild_tensor_v2\n('
        + pid
        + b'J'
        + struct.pack('<i', offset)
        + numbers(size)
        + numbers(stride)
        + b'\x89ccollections\nOrderedDict\n)RtR'
    )
    name = b'flow.weight'
    key = b'X' + struct.pack('<i', len(name)) + name
    return b'\x80\x02}' + key + tensor + b's.'


@pytest.mark.parametrize(
    ('size', 'stride', 'offset'),
    [
        ((100_000, 100_000), (0, 0), 0),  # huge, from a single value
        ((16,), (2,), 0),
        ((8,), (1,), 9),
        ((4, 4), (4,), 0),
        ((-4,), (1,), 0),
        ((4,), (-1,), 3),
        ((4,), (1,), -1),
    ],
)
def test_views_beyond_their_storage_are_refused(
    tmp_path, size, stride, offset
):
    path = with_pickle(tmp_path / 'x', rebuilt(16, offset, size, stride))
    with pytest.raises(ModelError, match='nothing of it was used'):
        open_checkpoint(path)


def test_the_archive_of_the_last_test_is_fine_otherwise(tmp_path):
    path = with_pickle(tmp_path / 'x', rebuilt(16, 0, (4, 4), (4, 1)))
    values = open_checkpoint(path).entries['flow.weight'].load()
    assert np.array_equal(values, np.zeros((4, 4), np.float32))


def test_a_storage_shorter_than_declared_is_damaged(tmp_path):
    path = with_pickle(tmp_path / 'x', rebuilt(17, 0, (4, 4), (4, 1)))
    with pytest.raises(ModelError, match='cut off'):
        open_checkpoint(path).entries['flow.weight'].load()


def repacked(path: Path, change=lambda name, data: data, **options) -> Path:
    """Write an archive again, deflated."""
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED, **options) as new:
        for name, data in members.items():
            new.writestr(name, change(name, data))
    return path


def test_a_deflated_checkpoint_is_fine(tmp_path):
    path = tmp_path / 'x'
    torch.save(state(), path)
    import_checkpoint(repacked(path))


def test_a_deflated_bomb_stays_packed(tmp_path):
    """400 MB of zeros in half a megabyte."""
    path = tmp_path / 'bomb.pt'
    zeros = torch.zeros(1)
    torch.save({**state(), 'flow.weight': zeros}, path)
    size = 4 * 10**8

    def blow_up(name, data):
        return bytes(size) if name.endswith('/data/0') else data

    repacked(path, blow_up)
    assert path.stat().st_size < 1e6
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match='it was left packed'):
            load_model(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_says(tmp_path):
    path = with_pickle(tmp_path / 'x', rebuilt(16, 0, (4, 4), (4, 1)))
    repacked(
        path,
        lambda name, data: bytes(10**8) if name.endswith('/0') else data,
    )
    raw = path.read_bytes()
    lie = raw.replace(struct.pack('<I', 10**8), struct.pack('<I', 64))
    assert lie != raw
    path.write_bytes(lie)
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match='damaged'):
            open_checkpoint(path).entries['flow.weight'].load()
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_more_than_the_memory_may_take_is_refused(tmp_path, monkeypatch):
    for zipped in (True, False):
        path = tmp_path / f'{zipped}'
        torch.save(state(), path, _use_new_zipfile_serialization=zipped)
        monkeypatch.setattr(importers.contents, 'memory_budget', lambda: 1_000)
        with pytest.raises(ModelError, match='that one checkpoint may take'):
            inspect_checkpoint(path)


def test_sizes_that_a_legacy_file_only_declares_are_refused(tmp_path):
    path = tmp_path / 'x'
    torch.save(state(), path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    flow = next(
        n
        for n, v in state().items()
        if n == 'unet_model.encoder.0.0.main.bias'
    )
    assert flow.encode() in whole
    for size in (len(whole) - 1, len(whole) - 400, len(whole) // 2, 2000, 60):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelError, match='damaged'):
            import_checkpoint(path)


@pytest.mark.parametrize('method', [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(tmp_path, method):
    path = tmp_path / 'x'
    with zipfile.ZipFile(path, 'w', method) as archive:
        archive.writestr('archive/data.pkl', bytes(10**6))
    with pytest.raises(ModelError, match='damaged'):
        inspect_checkpoint(path)


@pytest.mark.parametrize('share', [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_archive_is_damaged(tmp_path, share):
    path = tmp_path / 'x'
    torch.save(state(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ModelError, match='damaged'):
        import_checkpoint(path)


def test_flipped_bytes_end_in_a_sentence_or_in_weights(tmp_path):
    """No file, however broken, ends in anything but a ModelError."""
    path = tmp_path / 'x'
    torch.save(state(), path)
    whole = bytearray(path.read_bytes())
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        broken = bytearray(whole)
        for place in random.integers(0, len(whole), 8):
            broken[place] = random.integers(256)
        path.write_bytes(bytes(broken))
        try:
            import_checkpoint(path)
        except ModelError:
            refused += 1
    assert refused > 75


def test_a_whole_pickled_network_is_refused_by_its_class(tmp_path):
    path = tmp_path / 'x'
    torch.save(VoxelMorph(2, **SMALL), path)
    with pytest.raises(ModelError, match=r'networks.voxelmorph.VoxelMorph'):
        inspect_checkpoint(path)


def test_pickles_tar_archives_and_programs_are_told_apart(tmp_path, marker):
    path = tmp_path / 'x'
    path.write_bytes(pickle.dumps(Runs(marker)))
    with pytest.raises(ModelError, match='a pickle that PyTorch did not'):
        load_model(path)
    with tarfile.open(path, 'w') as archive:
        archive.addfile(tarfile.TarInfo('storages'), io.BytesIO())
    with pytest.raises(ModelError, match='a tar archive'):
        load_model(path)
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('readme.txt', 'hello')
    with pytest.raises(ModelError, match='not one that PyTorch wrote'):
        load_model(path)
    with zipfile.ZipFile(path, 'w') as archive:
        for name in ('data', 'constants'):
            archive.writestr(f'net/{name}.pkl', b'\x80\x02}.')
    with pytest.raises(ModelError, match='a TorchScript program'):
        load_model(path)
    path.write_bytes(b'GIF89a')
    with pytest.raises(ModelError, match='not a napari-adacs model'):
        load_model(path)


def test_torch_is_new_enough_for_its_own_files():
    """Before 2.10 even its safe loader could corrupt memory."""
    text = (Path(__file__).parents[3] / 'pyproject.toml').read_text()
    assert '"torch>=2.10"' in text
    assert tuple(map(int, torch.__version__.split('.')[:2])) >= (2, 10)


def test_no_part_of_the_importer_asks_torch_to_read_a_file():
    folder = Path(importers.__file__).parent
    sources = [p.read_text() for p in folder.glob('*.py')]
    assert len(sources) > 15
    for text in sources:
        for forbidden in ('torch.load', 'jit.load', 'Unpickler(', 'loads('):
            found = text.replace('json.loads(', '')
            assert forbidden not in found

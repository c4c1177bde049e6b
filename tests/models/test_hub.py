"""Downloading with the real client, from a hub on this machine."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

import napari_adacs
from napari_adacs.errors import CancelledError, ModelError
from napari_adacs.models import hub as hub_module
from napari_adacs.models.bundle import load_bundle
from napari_adacs.models.catalogue import REMOTE, find_remote, remote_models
from napari_adacs.models.hub import fetch
from napari_adacs.models.library import list_models, load_model, user_folder
from napari_adacs.models.storing import download_model
from napari_adacs.networks.auxiliary import VarianceEstimator
from napari_adacs.networks.voxelmorph import VoxelMorph
from tests.models.hub_server import serving
from tests.models.importers.files import assert_same_weights, filled
from tests.small_models import save_small_model

HETERO = 'Voldemort108X/hetero_uncertainty'
ACDC = 'voxelmorph-heteroscedastic-acdc'
SMALL = {'encoder': [4, 8], 'decoder': [8, 8, 4]}
CONFIG = {'inshape': (128, 128), 'int_steps': 7, 'int_downsize': 2}
MOTION = filled(VoxelMorph(2, **SMALL))
BIG = os.urandom(3_000_000)


def checkpoint(network) -> bytes:
    buffer = io.BytesIO()
    state = {'config': CONFIG, 'model_state': network.state_dict()}
    torch.save(state, buffer)
    return buffer.getvalue()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub with the authors' files, and an empty cache and folder."""
    variance = filled(VarianceEstimator(2, **SMALL))
    with serving() as running:
        running.files = {
            (HETERO, 'vxm_ACDC_motion.pt'): checkpoint(MOTION),
            (HETERO, 'vxm_ACDC_variance.pt'): checkpoint(variance),
            ('some/one', 'deep/big.bin'): BIG,
        }
        monkeypatch.setenv('HF_ENDPOINT', running.url)
        monkeypatch.setenv('HF_HUB_CACHE', str(tmp_path / 'cache'))
        monkeypatch.setenv('HF_HUB_DISABLE_XET', '1')
        monkeypatch.delenv('HF_HUB_OFFLINE', raising=False)
        monkeypatch.setenv('NAPARI_ADACS_MODELS', str(tmp_path / 'mine'))
        yield running


def requests(hub, method='GET'):
    return [asked for asked in hub.asked if asked[0] == method]


def test_a_model_of_two_files_becomes_one_of_mine(hub):
    seen = []
    entry = download_model(ACDC, lambda f, text: seen.append((f, text)))
    assert entry.path == user_folder() / f'{ACDC}.safetensors'
    assert entry.header.scheme == 'heteroscedastic'
    assert entry.header.domain == '2D cine MR'
    assert entry.header.preprocessing.grid == 'pad'
    model = load_bundle(entry.path)
    assert_same_weights(model.displacement, MOTION)
    assert set(model.auxiliaries) == {'variance'}
    fractions = [f for f, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert any('Downloading vxm_ACDC_motion.pt' in t for _, t in seen)
    assert ACDC in [e.name for e in list_models() if e.source == 'user']


def test_a_second_time_costs_no_bytes(hub):
    download_model(ACDC)
    before = len(hub.asked)
    assert download_model(ACDC).name == ACDC
    assert len(hub.asked) == before
    # without the bundle the cache still has the files
    (user_folder() / f'{ACDC}.safetensors').unlink()
    download_model(ACDC)
    assert len(requests(hub)) == 2


def test_a_broken_connection_is_taken_up_where_it_broke(hub):
    """At the last whole chunk of the client, that is."""
    chunk = constants.DOWNLOAD_CHUNK_SIZE
    whole = os.urandom(2 * chunk + 5_000_000)
    hub.files['some/one', 'huge.bin'] = whole
    hub.cut_after, hub.cuts = chunk + 1_000_000, 1
    path = fetch('some/one', 'huge.bin')
    assert path.read_bytes() == whole
    ranges = [asked[2] for asked in requests(hub)]
    assert ranges == ['', f'bytes={chunk}-']


def test_other_bytes_than_announced_are_refused_and_deleted(hub, tmp_path):
    hub.corrupt = True
    with pytest.raises(ModelError, match='arrived with other bytes'):
        fetch('some/one', 'deep/big.bin')
    kept = [p for p in (tmp_path / 'cache').rglob('*') if p.is_file()]
    assert all(p.stat().st_size < 1000 for p in kept)
    hub.corrupt = False
    assert fetch('some/one', 'deep/big.bin').read_bytes() == BIG


def test_cancelling_leaves_nothing(hub, tmp_path):
    calls = []

    def cancelled():
        calls.append(1)
        return len(calls) > 1

    with pytest.raises(CancelledError):
        fetch('some/one', 'deep/big.bin', cancelled=cancelled)
    kept = [p for p in (tmp_path / 'cache').rglob('*') if p.is_file()]
    assert all(p.stat().st_size < 1000 for p in kept)
    with pytest.raises(CancelledError):
        download_model(ACDC, cancelled=lambda: True)
    assert not user_folder().exists()


def test_offline_uses_what_is_here_and_says_what_is_not(hub, monkeypatch):
    path = fetch('some/one', 'deep/big.bin')
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    before = len(hub.asked)
    assert fetch('some/one', 'deep/big.bin') == path
    with pytest.raises(ModelError, match='HF_HUB_OFFLINE forbids'):
        download_model(ACDC)
    assert len(hub.asked) == before


def test_without_a_connection_it_is_a_sentence(hub, monkeypatch):
    path = fetch('some/one', 'deep/big.bin')
    monkeypatch.setenv('HF_ENDPOINT', 'http://127.0.0.1:9')
    assert fetch('some/one', 'deep/big.bin') == path
    with pytest.raises(ModelError, match=r'127\.0\.0\.1:9 cannot be reached'):
        download_model(ACDC)
    assert not user_folder().exists()


@pytest.mark.parametrize(
    ('name', 'sentence'),
    [
        ('some/one/nothing.pt', "no file 'nothing.pt' in 'some/one'"),
        ('no/body/file.pt', "'no/body' does not exist"),
        ('bad name/one/file.pt', 'is no repository'),
        ('voxelmorph-heteroscedastic-acd', 'Did you mean'),
        ('nonsense', 'no model called'),
        ('../../etc', 'no model called'),
        ('some/one/deep/big.bin', 'not a napari-adacs model'),
    ],
)
def test_what_cannot_be_had_is_a_sentence(hub, name, sentence):
    with pytest.raises(ModelError, match=sentence):
        download_model(name)


def test_an_error_of_the_server_is_a_sentence(hub, monkeypatch):
    hub.status = 503
    with pytest.raises(ModelError, match='answered 503'):
        fetch('some/one', 'deep/big.bin')


def test_bundles_and_any_checkpoint_can_be_fetched(hub, tmp_path):
    bundle = save_small_model(tmp_path, 3)
    hub.files['our/models', 'small.safetensors'] = bundle.read_bytes()
    entry = download_model('our/models/small.safetensors')
    assert entry.name == 'small-3d'
    assert entry.path.read_bytes() == bundle.read_bytes()
    motion = f'{HETERO}/vxm_ACDC_motion.pt'
    assert download_model(motion).name == 'vxm-acdc-motion'
    again = download_model(motion)
    assert again.name == 'vxm-acdc-motion'
    assert len(list(user_folder().iterdir())) == 2


def test_the_catalogue_has_the_eight_files():
    files = {f for model in REMOTE for f in model.files}
    assert files == {
        f'{network}_{data}_{kind}.pt'
        for network in ('vxm', 'tsm')
        for data in ('ACDC', 'CAMUS')
        for kind in ('motion', 'variance')
    }
    assert len(remote_models(2)) == 4
    assert remote_models(3) == []
    assert find_remote(ACDC).repository == HETERO


def test_the_command_with_the_settings_of_the_client(hub, tmp_path):
    """In a process of its own, where the client reads its environment."""
    source = str(Path(napari_adacs.__file__).parents[1])
    environment = {**os.environ, 'PYTHONPATH': source}

    def run(*words, **more):
        return subprocess.run(
            [sys.executable, '-m', 'napari_adacs', 'models', *words],
            env={**environment, **more},
            capture_output=True,
            text=True,
            check=False,
        )

    offline = run('download', ACDC, HF_HUB_OFFLINE='1')
    assert offline.returncode == 2
    assert 'HF_HUB_OFFLINE forbids' in offline.stderr
    assert hub.asked == []
    listed = run('list')
    (line,) = [t for t in listed.stdout.splitlines() if t.startswith(ACDC)]
    assert line.endswith('remote')
    assert hub.asked == []
    done = run('download', ACDC)
    assert done.returncode == 0, done.stderr
    assert str(user_folder() / ACDC) in done.stdout
    (line,) = [
        t for t in run('list').stdout.splitlines() if t.startswith(ACDC)
    ]
    assert line.endswith('user')


def test_a_model_that_is_not_here_says_how_to_get_it(hub):
    with pytest.raises(ModelError, match=f'models download {ACDC}'):
        load_model(ACDC)
    assert hub.asked == []


def test_nothing_is_asked_by_looking(hub):
    remote_models()
    list_models()
    assert hub_module.endpoint_host() == hub.url.removeprefix('http://')
    assert hub.asked == []

"""Telling kinds of images apart, and choosing a model by it."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy.io import loadmat

from napari_adacs.models import library
from napari_adacs.phantom.echo import echo_pair
from napari_adacs.phantom.shapes import shapes_pair
from napari_adacs.phantom.shapes_options import ShapesOptions
from napari_adacs.registration.about import About
from napari_adacs.registration.choice import choose_as_seen, choose_for
from napari_adacs.registration.inputs import image_on_grid
from napari_adacs.registration.recognise import Seen, has_sector, recognise
from napari_adacs.registration.register import register
from napari_adacs.spatial.grid import Grid
from tests.small_models import save_small_model

PLANE = Grid.of_voxels((64, 64))


def kind(
    text: str = '',
    modality: str = '',
    sector: bool | None = False,
    in_frames: bool = False,
) -> str:
    image = Seen(About(text, modality, in_frames), sector)
    return recognise(image, image).name


@pytest.mark.parametrize(
    ('ndim', 'shape'), [(2, (128, 128)), (2, (97, 61)), (3, (48, 48, 48))]
)
def test_echo_phantoms_have_a_sector(
    ndim: int, shape: tuple[int, ...]
) -> None:
    for seed in range(3):
        image = echo_pair(seed, ndim, shape).fixed
        assert has_sector(image)
        assert has_sector(np.flip(image.T))
        assert has_sector((200 * image - 50).astype(np.int16))


def test_a_cropped_echo_has_none() -> None:
    assert not has_sector(echo_pair(0, 2, (128, 128)).fixed[50:100, 40:90])


@pytest.mark.parametrize('shape', [(96, 96), (40, 40, 40)])
def test_bodies_and_shapes_have_none(shape: tuple[int, ...]) -> None:
    options = ShapesOptions(sector=0, background=0.7)
    found = [
        has_sector(shapes_pair(seed, shape, options).fixed)
        for seed in range(20)
    ]
    assert not any(found)


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((40, 40)),
        np.full((40, 40), np.nan),
        np.eye(40),
        np.ones((4, 40)),
        np.random.default_rng(0).random((64, 64)) > 0.5,
        np.zeros((40, 40), 'U1'),
    ],
)
def test_odd_images_have_none(image: np.ndarray) -> None:
    assert not has_sector(image)


def test_real_images(shared_data: Path) -> None:
    camus = sorted((shared_data / 'camus-128' / 'val').glob('*.mat'))
    acdc = sorted((shared_data / 'acdc-128' / 'val').glob('*.mat'))
    for path in camus[::3]:
        assert has_sector(loadmat(path)['im_ES'])
    for path in acdc[::5]:
        assert not has_sector(loadmat(path)['im_ES'])
    brain = nib.load(shared_data / 'oasis' / '0455' / 'aligned_norm.nii.gz')
    volume = brain.get_fdata()
    assert not has_sector(volume)
    for axis in range(3):
        assert not has_sector(volume.take(volume.shape[axis] // 2, axis))
    for name in ('ED', 'ES'):
        image = nib.load(shared_data / 'mitea-034' / f'{name}.nii.gz')
        assert has_sector(image.get_fdata())
    for path in sorted((shared_data / 'tee-4d').glob('*img4d.nii.gz')):
        assert has_sector(nib.load(path).get_fdata()[..., 0])


@pytest.mark.parametrize(
    ('found', 'wanted'),
    [
        (kind(sector=True), 'echo'),
        (kind(modality='US'), 'echo'),
        (kind('TEE of a ventricle.nii'), 'echo'),
        (kind('patient0053_4CH_ED.nii.gz camus'), 'echo'),
        (kind('cine loop', sector=True), 'echo'),
        (kind('sub-1_cine_sax.nii.gz'), 'cine'),
        (kind('patient007_frame12.nii.gz'), 'cine'),
        (kind(modality='MR', in_frames=True), 'cine'),
        (kind('TE=1.2;Time=093015.2', in_frames=True), 'cine'),
        (kind('TE=1.2;Time=093015.2'), 'general'),
        (kind('sub-1_echo-2_bold.nii.gz'), 'general'),
        (kind('spin echo'), 'general'),
        (kind(modality='MR'), 'general'),
        (kind(modality='CT', sector=True), 'general'),
        (kind('cine echocardiography'), 'general'),
        (kind('teeth.nii.gz'), 'general'),
        (kind(sector=None), 'general'),
    ],
)
def test_what_is_not_clear_is_general(found: str, wanted: str) -> None:
    assert found == wanted


def test_both_images_have_a_say() -> None:
    echo, plain = Seen(About(), True), Seen(About(), False)
    unread, cine = Seen(About()), Seen(About('cine'), False)
    assert recognise(echo, plain).name == 'general'
    assert recognise(echo, unread).name == 'echo'
    assert recognise(plain, cine).name == 'cine'
    assert recognise(echo, cine).name == 'general'
    assert 'different kinds' in recognise(echo, cine).why


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for models that count as bundled."""
    folder = tmp_path / 'bundled'
    folder.mkdir()
    monkeypatch.setattr(library, '_BUNDLED', folder)
    monkeypatch.setenv(library.FOLDER_VARIABLE, str(tmp_path / 'none'))
    return folder


def chosen(kind: str) -> str:
    return library.find_model('auto', 2, kind).name


def test_the_domain_of_a_model_decides(models: Path) -> None:
    for name, domain in (
        ('c', '2D cine MRI'),
        ('e', '2D echo'),
        ('g', 'general 2D'),
        ('z', 'sheep'),
    ):
        save_small_model(models, 2, name=name, domain=domain)
    assert [chosen(k) for k in ('echo', 'cine', 'general')] == ['e', 'c', 'g']
    # without a word of the images as before there was a choice
    assert chosen('') == 'e'
    (models / 'c.safetensors').unlink()
    assert chosen('cine') == 'g'
    (models / 'g.safetensors').unlink()
    assert chosen('cine') == chosen('general') == 'e'
    (models / 'e.safetensors').unlink()
    assert chosen('echo') == 'z'


def test_the_preferred_of_several_is_taken(models: Path) -> None:
    save_small_model(models, 2, name='a', domain='2D echo')
    save_small_model(models, 2, name='b', domain='2D echo', preference=1)
    assert chosen('echo') == 'b'
    assert [e.name for e in library.list_models(2)] == ['b', 'a']


def test_the_reason_is_said(models: Path) -> None:
    save_small_model(models, 2, name='e', domain='2D echo')
    echo, plain = Seen(About(), True), Seen(About(), False)
    assert choose_as_seen(echo, echo, PLANE).sentence == (
        'Model e, made for 2D echo: the image has an ultrasound sector.'
    )
    assert choose_as_seen(plain, plain, PLANE).sentence == (
        'Model e, made for 2D echo: neither echo nor cine MRI was '
        'recognised, and no general 2D model is here.'
    )


def test_what_a_person_has_chosen_is_taken(models: Path) -> None:
    save_small_model(models, 2, name='e', domain='2D echo')
    save_small_model(models, 2, name='g', domain='general 2D')
    pair = echo_pair(0, 2, (64, 64))
    images = [
        image_on_grid(image, name)
        for image, name in ((pair.moving, 'moving'), (pair.fixed, 'fixed'))
    ]
    by_hand = choose_for('g', *images)
    assert (by_hand.entry.name, by_hand.why) == ('g', '')
    assert choose_for('auto', *images).entry.name == 'e'


def test_a_registration_notes_why(models: Path) -> None:
    save_small_model(models, 2, name='e', domain='2D echo')
    save_small_model(models, 2, name='g', domain='general 2D')
    pair = echo_pair(0, 2, (64, 64))
    result = register(pair.moving, pair.fixed)
    assert result.model_name == 'e'
    assert any('ultrasound sector' in note for note in result.notes)
    noise = shapes_pair(0, (64, 64), ShapesOptions(sector=0))
    assert register(noise.moving, noise.fixed).model_name == 'g'
    result = register(pair.moving, pair.fixed, 'g')
    assert not any('sector' in note for note in result.notes)


def test_files_of_nibabel_say_what_they_are(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.eye(8, dtype=np.float32)[..., None], np.eye(4))
    image.header['descrip'] = b'TE=1.3;Time=1'
    path = tmp_path / 'sub_cine.nii.gz'
    nib.save(image, path)
    about = image_on_grid(nib.load(path), 'moving').about
    assert 'sub_cine' in about.text
    assert 'TE=1.3' in about.text

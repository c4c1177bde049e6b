"""Training data from files: split by patient, checked, on one grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.io.nifti import save_volume
from napari_adacs.models.header import Preprocessing
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.preprocess import network_grid, prepare
from napari_adacs.spatial.grid import Grid
from napari_adacs.training.sources.opening import open_data
from napari_adacs.training.sources.splitting import split_groups
from napari_adacs.training.train import train
from tests.training.conftest import disc, make_config

SHAPE = (20, 24)


def write_pair(
    folder: Path, name: str, shape: tuple[int, ...] = SHAPE
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    middle = np.array(shape) / 2 - 0.5
    grid = Grid.from_spacing(shape, 0.7)
    for frame, radius in (('ED', 6.0), ('ES', 4.5)):
        image = 200 * disc(shape, middle, radius)
        save_volume(folder / f'{name}_{frame}.nii.gz', image, grid)
        save_volume(
            folder / f'{name}_{frame}_gt.nii.gz',
            (image > 100).astype(np.uint8),
            grid,
            labels=True,
        )


@pytest.fixture
def study(tmp_path: Path) -> Path:
    for index in range(10):
        write_pair(tmp_path / 'data', f'p{index}_4CH')
        write_pair(tmp_path / 'data', f'p{index}_2CH')
    return tmp_path / 'data'


def test_patients_are_never_on_both_sides(study: Path) -> None:
    config = make_config(data={'held_out': 0.3})
    data = open_data([str(study)], config)
    sides = {
        use: {name.split('_')[0] for _, name, u, _ in data.rows if u == use}
        for use in ('train', 'val')
    }
    assert len(data.training) == 14
    assert data.validation is not None
    assert len(data.validation) == 6
    assert not sides['train'] & sides['val']
    assert data.skipped == []


def test_reading_is_told(study: Path) -> None:
    told: list[tuple[float, str]] = []
    open_data(
        [str(study)], make_config(), progress=lambda *said: told.append(said)
    )
    assert len(told) == 20
    assert told[-1][0] == 1.0
    assert all(text.startswith('reading p') for _, text in told)


def test_the_split_depends_on_its_own_seed_only(study: Path) -> None:
    def held_out(**changes: object) -> set[str]:
        config = make_config(**changes)
        rows = open_data([str(study)], config).rows
        return {name for _, name, use, _ in rows if use == 'val'}

    assert held_out(seed=1) == held_out(seed=2)
    assert any(
        held_out(data={'split_seed': seed}) != held_out() for seed in (1, 2, 3)
    )
    assert held_out(data={'held_out': 0.0}) == set()


def test_files_look_as_they_will_to_a_registration(study: Path) -> None:
    config = make_config(orientation='lps')
    pair = open_data([str(study)], config).training[0]
    assert pair.moving.shape == (16, 16)
    assert pair.moving_labels is not None
    assert pair.moving_labels.shape == (16, 16)
    from napari_adacs.io.images import read_image

    images = []
    for frame in ('ED', 'ES'):
        volume = read_image(study / f'{pair.name}_{frame}.nii.gz')
        images.append(ImageOnGrid(volume.data, volume.grid, frame))
    rule = Preprocessing('resize', (16, 16), 'lps')
    expected = prepare(*images, network_grid(images[1], rule, 1))
    np.testing.assert_array_equal(pair.moving, expected.moving[0, 0])
    np.testing.assert_array_equal(pair.fixed, expected.fixed[0, 0])
    overlap = (pair.fixed > 0.5) == (pair.fixed_labels == 1)
    assert overlap.mean() > 0.97


def test_bad_files_are_skipped_and_said(study: Path, tmp_path: Path) -> None:
    (study / 'p0_4CH_ED.nii.gz').write_bytes(b'not an image')
    write_pair(study, 'p1_4CH', (20, 24, 8))
    grid = Grid.from_spacing(SHAPE, 0.7)
    flat = np.full(SHAPE, 3.0, np.float32)
    save_volume(study / 'p2_4CH_ES.nii.gz', flat, grid)
    hole = disc(SHAPE, (9, 9), 4.0)
    hole[3, 3] = np.nan
    save_volume(study / 'p3_4CH_ED.nii.gz', hole, grid)
    save_volume(
        study / 'p4_4CH_ED_gt.nii.gz',
        np.ones((8, 8), np.uint8),
        Grid.from_spacing((8, 8), 0.7),
        labels=True,
    )
    data = open_data([str(study)], make_config())
    reasons = {s.name: s.reason for s in data.skipped}
    assert set(reasons) == {f'p{i}_4CH' for i in range(5)}
    assert '3D, not 2D' in reasons['p1_4CH']
    assert 'constant' in reasons['p2_4CH']
    assert 'grid of its image' in reasons['p4_4CH']
    data.write_report(tmp_path)
    lines = (tmp_path / 'data.csv').read_text().splitlines()
    assert lines[0] == 'source,pair,use,reason'
    assert len(lines) == 21
    for index in range(len(data.training)):
        assert np.isfinite(data.training[index].moving).all()


def test_nothing_but_bad_files_is_an_error(tmp_path: Path) -> None:
    for index in range(3):
        write_pair(tmp_path, f'p{index}', (20, 24, 8))
    with pytest.raises(InputError, match='None of 2 pairs.*3D, not 2D'):
        open_data([str(tmp_path)], make_config())


def test_a_table_says_what_validates(study: Path) -> None:
    lines = ['moving,fixed,fixed_labels,moving_labels,split']
    for index, split in enumerate(('train', 'val', 'test', '')):
        name = f'p{index}_4CH'
        lines.append(
            f'{name}_ED.nii.gz,{name}_ES.nii.gz,'
            f'{name}_ES_gt.nii.gz,{name}_ED_gt.nii.gz,{split}'
        )
    table = study / 'pairs.csv'
    table.write_text('\n'.join(lines))
    data = open_data([str(table)], make_config())
    assert len(data.training) == 2
    assert data.validation is not None
    assert len(data.validation) == 1
    assert data.validation[0].name.startswith('p1')


def test_folders_train_and_val_of_images(tmp_path: Path) -> None:
    for index in range(3):
        write_pair(tmp_path / 'train', f'p{index}')
    write_pair(tmp_path / 'val', 'p9')
    data = open_data([str(tmp_path)], make_config())
    assert len(data.training) == 3
    assert data.validation is not None
    assert data.validation[0].name == 'p9'


def test_training_from_files_learns(study: Path, tmp_path: Path) -> None:
    config = make_config(
        stages={'displacement': 4, 'auxiliary': 0, 'joint': 0}
    )
    data = open_data(
        [f'{study}/{{patient}}_4CH_{{ED>ES}}[|_gt].nii.gz'], config
    )
    train(data.training, config, validation=data.validation, folder=tmp_path)
    assert 'val_dsc_1' in (tmp_path / 'log.csv').read_text()


def test_one_patient_alone_is_trained_on() -> None:
    assert split_groups(['a', 'a'], 0.5, 0) == ([0, 1], [])
    kept, held_out = split_groups(['a', 'b', 'b', 'a'], 0.01, 0)
    assert sorted(kept + held_out) == [0, 1, 2, 3]
    assert len(held_out) == 2


def test_real_echo_by_pattern(shared_data: Path) -> None:
    pattern = (
        f'{shared_data}/camus-nifti/{{patient}}/'
        '{patient}_4CH_{ED>ES}[|_gt].nii.gz'
    )
    config = make_config(shape=[64, 64], orientation='beam')
    data = open_data([pattern], config)
    assert data.validation is not None
    assert len(data.training) + len(data.validation) == 14
    assert data.skipped == []
    labels = data.training[0].fixed_labels
    assert labels is not None
    assert set(np.unique(labels)) == {0, 1, 2, 3}

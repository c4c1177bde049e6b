"""The papers' preprocessing: crops, sizes, splits by patient."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy.io import loadmat

from napari_adacs.cli import main
from napari_adacs.errors import InputError
from napari_adacs.training.pairs import read_mat
from napari_adacs.training.preparation.acdc import crop, crop_centre
from napari_adacs.training.preparation.camus import resized, resized_labels
from napari_adacs.training.preparation.datasets import prepare_dataset
from napari_adacs.training.preparation.writing import Patient, divide


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(values, np.diag([1.5, 1.5, 5.0, 1.0])), path)


def make_acdc(root: Path, count: int, group: str = 'training') -> None:
    """Write hearts of different size, off the middle."""
    for number in range(1, count + 1):
        name = f'patient{number:03d}'
        folder = root / group / name
        index = np.indices((90, 150, 5))
        far = np.hypot(index[0] - 30, index[1] - 100 - number)
        labels = np.where(far < 8, 3, np.where(far < 12, 2, 0))
        labels[..., 4] = 0
        image = (50 * labels + index[0]).astype(np.int16)
        for frame in (1, 9):
            shift = 0 if frame == 1 else 2
            moved = np.roll(labels, shift, 0).astype(np.uint8)
            save(folder / f'{name}_frame{frame:02d}_gt.nii.gz', moved)
            save(folder / f'{name}_frame{frame:02d}.nii.gz', image)
        (folder / 'Info.cfg').write_text('ED: 1\nES: 9\nGroup: NOR\n')


def made(folder: Path) -> dict[str, set[str]]:
    return {
        split.name: {p.stem for p in split.glob('*.mat')}
        for split in folder.iterdir()
        if split.is_dir()
    }


def test_acdc_is_cropped_around_the_ed_myocardium(tmp_path: Path) -> None:
    make_acdc(tmp_path / 'database', 5)
    make_acdc(tmp_path / 'database', 2, 'testing')
    # the testing folder of the download has patients of its own
    for path in sorted((tmp_path / 'database' / 'testing').iterdir()):
        number = int(path.name[-3:]) + 100
        new = path.with_name(f'patient{number}')
        path.rename(new)
        for file in new.glob('patient*'):
            file.rename(new / file.name.replace(path.name, new.name))
    prepared = prepare_dataset('acdc', tmp_path, tmp_path / 'out')
    assert prepared.counts == {'train': 20, 'val': 5, 'test': 10}
    assert prepared.skipped == []
    files = made(tmp_path / 'out')
    assert files['test'] == {
        f'patient{n}_slice0{i}' for n in (101, 102) for i in range(5)
    }
    patients = {
        split: {name.split('_')[0] for name in names}
        for split, names in files.items()
    }
    assert not patients['train'] & patients['val']
    path = next((tmp_path / 'out' / 'test').glob('patient101_slice02.mat'))
    data = loadmat(path)
    x, y = (axis.mean() for axis in np.nonzero(data['myo_ED']))
    assert (round(x), round(y)) == (64, 64)
    # ES keeps the centre of ED: its heart has moved by two pixels
    assert round(np.nonzero(data['myo_ES'])[0].mean()) == 66
    assert set(np.unique(data['label_ED'])) == {0, 2, 3}
    # 30 pixels to the border of the image, 64 to that of the window
    assert (data['im_ED'][: 64 - 30] == 0).all()
    assert data['im_ED'].shape == (128, 128)


def test_acdc_patients_that_cannot_be_used(tmp_path: Path) -> None:
    make_acdc(tmp_path / 'database', 5)
    root = tmp_path / 'database' / 'training'
    (root / 'patient001' / 'Info.cfg').write_text('ED: one\n')
    (root / 'patient002' / 'patient002_frame09_gt.nii.gz').unlink()
    file = root / 'patient003' / 'patient003_frame01_gt.nii.gz'
    save(file, np.zeros((90, 150, 5), np.uint8))
    prepared = prepare_dataset('acdc', tmp_path, tmp_path / 'out')
    reasons = dict(prepared.skipped)
    assert set(reasons) == {'patient001', 'patient002', 'patient003'}
    assert 'Info.cfg' in reasons['patient001']
    assert 'frame09_gt' in reasons['patient002']
    assert 'no myocardium' in reasons['patient003']
    with (tmp_path / 'out' / 'prepared.csv').open() as file_:
        rows = list(csv.DictReader(file_))
    assert sum(row['use'] == 'skipped' for row in rows) == 3
    assert len(rows) == 3 + 10


def test_the_centre_lands_on_index_64() -> None:
    labels = np.zeros((20, 300, 3), np.uint8)
    labels[4:7, 280:283, 1] = 2
    assert crop_centre(labels) == (5, 281)
    window = crop(labels, (5, 281))
    assert window.shape == (128, 128, 3)
    assert window[64, 64, 1] == 2
    assert window.sum() == labels.sum()


def test_patients_are_divided_by_seed_whatever_their_order() -> None:
    patients = [Patient(f'p{i}', Path()) for i in range(500)]
    splits = divide(patients, (3, 1, 1), 0)
    sizes = [list(splits.values()).count(s) for s in ('train', 'val', 'test')]
    assert sizes == [300, 100, 100]
    assert divide(patients[::-1], (3, 1, 1), 0) == splits
    assert divide(patients, (3, 1, 1), 1) != splits


def test_prepared_pairs_are_not_mixed_with_others(tmp_path: Path) -> None:
    make_acdc(tmp_path / 'database', 2)
    prepare_dataset('acdc', tmp_path, tmp_path / 'out')
    with pytest.raises(InputError, match='holds prepared pairs'):
        prepare_dataset('acdc', tmp_path, tmp_path / 'out', seed=1)


@pytest.mark.parametrize('name', ['acdc', 'camus'])
def test_a_folder_without_patients(tmp_path: Path, name: str) -> None:
    code = main(['prepare', name, str(tmp_path), '-o', str(tmp_path / 'out')])
    assert code == 2
    assert not (tmp_path / 'out').exists()


def test_real_camus_equals_the_prepared_files(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The originals of patients that `camus-128` holds prepared, too."""
    out = tmp_path / 'out'
    source = shared_data / 'camus-nifti'
    code = main(['prepare', 'camus', str(source), '-o', str(out)])
    assert code == 0
    assert 'Prepared 14 pairs: 8 train, 3 val, 3 test' in (
        capsys.readouterr().out
    )
    for path in out.rglob('*.mat'):
        ours = read_mat(path)
        (theirs,) = (
            read_mat(found)
            for found in (shared_data / 'camus-128').rglob(path.name)
        )
        for role in ('moving', 'fixed'):
            a, b = getattr(ours, role), getattr(theirs, role)
            assert np.abs(a - b).mean() < 0.01
            assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.995
            a, b = (getattr(p, f'{role}_labels') == 2 for p in (ours, theirs))
            assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.97


def test_resizing_keeps_places_and_labels() -> None:
    image = np.add.outer(np.arange(300.0), np.zeros(200))
    small = resized(image)
    assert small.shape == (128, 128)
    middle = (np.arange(128) + 0.5) * 300 / 128 - 0.5
    np.testing.assert_allclose(small[10:-10, 5], middle[10:-10], atol=0.02)
    labels = (image > 150).astype(np.uint8) * 3
    assert set(np.unique(resized_labels(labels))) == {0, 3}


def test_real_acdc_slices(shared_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'training' / 'patient101'
    folder.mkdir(parents=True)
    for role, frame in (('moving', 1), ('fixed', 12)):
        for suffix in ('', '_gt'):
            shutil.copy(
                shared_data / 'acdc-nifti' / f'{role}{suffix}.nii.gz',
                folder / f'patient101_frame{frame:02d}{suffix}.nii.gz',
            )
    (folder / 'Info.cfg').write_text('ED: 1\nES: 12\n')
    prepared = prepare_dataset('acdc', tmp_path, tmp_path / 'out')
    assert prepared.counts['train'] == 26
    stored = nib.load(folder / 'patient101_frame01_gt.nii.gz')
    labels = np.asarray(stored.dataobj)
    total = 0
    for path in (tmp_path / 'out' / 'train').glob('*.mat'):
        total += int(loadmat(path)['myo_ED'].sum())
    assert total == int((labels == 2).sum())

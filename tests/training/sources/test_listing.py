"""Which pairs are behind a name, without reading any."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_adacs.errors import InputError
from napari_adacs.training.sections import DataConfig
from napari_adacs.training.sources.listing import list_data


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_images_of_a_patient_are_on_one_side(tmp_path: Path) -> None:
    _touch(
        tmp_path,
        *(
            f'p{i}/p{i}_{view}_{frame}.nii.gz'
            for i in range(5)
            for view in ('2CH', '4CH')
            for frame in ('ED', 'ES')
        ),
    )
    found = list_data(str(tmp_path), DataConfig(held_out=0.4))
    assert found.held_out is not None
    assert (len(found.training), len(found.held_out)) == (6, 4)
    assert not set(found.training.groups) & set(found.held_out.groups)


def test_folders_of_the_papers_keep_their_division(tmp_path: Path) -> None:
    _touch(tmp_path, 'train/a_01.mat', 'train/a_02.mat', 'val/b_01.mat')
    found = list_data(str(tmp_path), DataConfig())
    assert found.training.groups == ['a', 'a']
    assert found.held_out is not None
    assert [p.name for p in found.held_out.mats] == ['b_01.mat']


def test_phantoms_have_seeds_of_their_own() -> None:
    found = list_data('phantom:20', DataConfig())
    assert len(found.training) == 20
    assert found.held_out is not None
    assert not set(found.training.phantoms) & set(found.held_out.phantoms)


@pytest.mark.parametrize(
    ('name', 'sentence'),
    [
        ('phantom:many', 'not a number of phantom pairs'),
        ('nowhere', "There is no folder or table 'nowhere'"),
        ('{patient}_{ED>ES}.nii', 'No pair of files follows'),
    ],
)
def test_what_is_no_data_is_said(
    name: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=sentence):
        list_data(name, DataConfig())


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / 'train').mkdir()
    with pytest.raises(InputError, match='no .mat files and no pairs'):
        list_data(str(tmp_path), DataConfig())

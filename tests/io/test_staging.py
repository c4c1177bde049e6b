"""Output folders appear complete or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from napari_adacs.errors import InputError
from napari_adacs.io.staging import check_folder, staged_folder


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_files_appear_when_the_block_succeeds(tmp_path: Path) -> None:
    out = tmp_path / 'a' / 'b'
    with staged_folder(out) as folder:
        (folder / 'one.txt').write_text('1')
        (folder / 'two.txt').write_text('2')
        assert not out.exists()
    assert names(out) == ['one.txt', 'two.txt']
    assert names(tmp_path) == ['a']


@pytest.mark.parametrize('error', [InputError('no'), KeyboardInterrupt()])
def test_a_failure_leaves_nothing(
    tmp_path: Path, error: BaseException
) -> None:
    out = tmp_path / 'out'
    with pytest.raises(type(error)), staged_folder(out) as folder:
        (folder / 'one.txt').write_text('1')
        raise error
    assert names(tmp_path) == []


def test_a_failure_keeps_the_earlier_run(tmp_path: Path) -> None:
    (tmp_path / 'one.txt').write_text('old')
    with (
        pytest.raises(InputError),
        staged_folder(tmp_path, {'one.txt'}) as folder,
    ):
        (folder / 'one.txt').write_text('new')
        raise InputError('no')
    assert (tmp_path / 'one.txt').read_text() == 'old'


def test_two_runs_never_mix(tmp_path: Path) -> None:
    for name in ('score', 'warped', 'notes of the user'):
        (tmp_path / name).write_text('old')
    with staged_folder(tmp_path, {'score', 'warped', 'weight'}) as folder:
        (folder / 'warped').write_text('new')
    assert names(tmp_path) == ['notes of the user', 'warped']
    assert (tmp_path / 'warped').read_text() == 'new'


def test_a_folder_in_the_way_is_refused_before_anything_moves(
    tmp_path: Path,
) -> None:
    (tmp_path / 'b').mkdir()
    with (
        pytest.raises(InputError, match='folder has that name'),
        staged_folder(tmp_path) as folder,
    ):
        (folder / 'a').write_text('1')
        (folder / 'b').write_text('2')
    assert names(tmp_path) == ['b']


def test_checking_leaves_nothing(tmp_path: Path) -> None:
    check_folder(tmp_path / 'x' / 'y')
    check_folder(tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize('below', ['', 'deeper/still'])
def test_a_file_is_no_folder(tmp_path: Path, below: str) -> None:
    file = tmp_path / 'taken'
    file.write_text('mine')
    with pytest.raises(InputError, match='taken is a file'):
        check_folder(file / below)
    assert file.read_text() == 'mine'


@pytest.mark.skipif(
    not hasattr(os, 'geteuid') or os.geteuid() == 0,
    reason='root may write everywhere',
)
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match='permission denied'):
            check_folder(tmp_path / 'out')
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(not Path('/proc/self').exists(), reason='no /proc')
def test_a_file_system_that_refuses_is_explained() -> None:
    with pytest.raises(InputError, match=r'Cannot write to /proc/out: '):
        check_folder('/proc/out')

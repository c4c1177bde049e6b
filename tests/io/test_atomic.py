from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from napari_adacs.errors import InputError
from napari_adacs.io.atomic import atomic_path


def test_new_file_appears_with_its_content(tmp_path: Path) -> None:
    target = tmp_path / 'out.nii.gz'
    with atomic_path(target) as path:
        assert path.parent == tmp_path
        assert path.name.endswith('.nii.gz')
        path.write_bytes(b'new')
        assert not target.exists()
    assert target.read_bytes() == b'new'
    assert os.listdir(tmp_path) == ['out.nii.gz']


@pytest.mark.parametrize('failure', [RuntimeError, KeyboardInterrupt])
def test_failure_keeps_the_old_file(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    target = tmp_path / 'out.csv'
    target.write_bytes(b'old')
    with pytest.raises(failure), atomic_path(target) as path:
        path.write_bytes(b'half of the n')
        raise failure
    assert target.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['out.csv']


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match='no folder .*nowhere'),
        atomic_path(tmp_path / 'nowhere' / 'out.csv'),
    ):
        pytest.fail('the block must not run')


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('x')
    with (
        pytest.raises(InputError, match='no folder'),
        atomic_path(tmp_path / 'file' / 'out.csv'),
    ):
        pytest.fail('the block must not run')


def test_target_is_a_folder(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match='it is a folder'),
        atomic_path(tmp_path),
    ):
        pytest.fail('the block must not run')


def test_unwritable_folder(tmp_path: Path) -> None:
    folder = tmp_path / 'locked'
    folder.mkdir()
    folder.chmod(0o555)
    if os.access(folder, os.W_OK):
        pytest.skip('this user may write anywhere')
    with (
        pytest.raises(InputError, match='permission denied'),
        atomic_path(folder / 'out.csv'),
    ):
        pytest.fail('the block must not run')


def test_permission_refused_on_creation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object, *_: object) -> int:
        raise PermissionError(errno.EACCES, 'Permission denied', str(path))

    monkeypatch.setattr(os, 'open', refuse)
    with (
        pytest.raises(InputError, match='permission denied'),
        atomic_path(tmp_path / 'out.csv'),
    ):
        pytest.fail('the block must not run')


def test_full_disk_is_said(tmp_path: Path) -> None:
    target = tmp_path / 'out.csv'
    target.write_bytes(b'old')
    with (
        pytest.raises(InputError, match='disk is full'),
        atomic_path(target) as path,
    ):
        path.write_bytes(b'some')
        raise OSError(errno.ENOSPC, 'No space left on device')
    assert target.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['out.csv']


def test_replacement_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(source: object, target: object) -> None:
        raise PermissionError(
            errno.EACCES, 'In use', str(source), None, str(target)
        )

    target = tmp_path / 'out.csv'
    target.write_bytes(b'old')
    monkeypatch.setattr(os, 'replace', locked)
    with (
        pytest.raises(InputError, match='Cannot write out.csv.*in use'),
        atomic_path(target) as path,
    ):
        path.write_bytes(b'new')
    assert target.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['out.csv']


def test_errors_of_other_files_pass_through(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError),
        atomic_path(tmp_path / 'out.csv'),
    ):
        (tmp_path / 'input.csv').read_text()


@pytest.mark.skipif(os.name != 'posix', reason='POSIX file modes')
def test_mode_is_that_of_an_ordinary_file(tmp_path: Path) -> None:
    plain = tmp_path / 'plain'
    plain.write_text('x')
    with atomic_path(tmp_path / 'new') as path:
        path.write_text('x')
    assert (tmp_path / 'new').stat().st_mode == plain.stat().st_mode
    plain.chmod(0o640)
    with atomic_path(plain) as path:
        path.write_text('y')
    assert plain.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.name != 'posix', reason='symbolic links')
def test_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / 'real').write_text('old')
    (tmp_path / 'link').symlink_to('real')
    with atomic_path(tmp_path / 'link') as path:
        path.write_text('new')
    assert (tmp_path / 'link').is_symlink()
    assert (tmp_path / 'real').read_text() == 'new'

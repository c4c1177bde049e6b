"""Pairs of files by table, by pattern and by the words in their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_adacs.errors import InputError
from napari_adacs.io.pair_finding import find_pairs
from napari_adacs.io.pair_pattern import is_pattern


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_table_lists_files_relative_to_itself(tmp_path: Path) -> None:
    table = tmp_path / 'pairs.csv'
    table.write_text(
        'moving,fixed,moving_labels,fixed_labels,patient,split\n'
        'a/ed.nii.gz,a/es.nii.gz,a/ed_gt.nii.gz,,p1,val\n'
        '\n'
        'b/ed.nii.gz,b/es.nii.gz,,,p2,\n'
    )
    first, second = find_pairs(str(table))
    assert first.moving == tmp_path / 'a' / 'ed.nii.gz'
    assert first.moving_labels == tmp_path / 'a' / 'ed_gt.nii.gz'
    assert first.fixed_labels is None
    assert (first.split, second.split) == ('val', '')
    assert second.group == 'p2'
    assert len(first.files) == 3


def test_a_table_of_a_spreadsheet_with_semicolons(tmp_path: Path) -> None:
    table = tmp_path / 'pairs.csv'
    table.write_bytes(
        '\ufeffmoving;fixed;moving_frame;fixed_frame\nc.nii;c.nii;0;12\n'
        'c.nii;c.nii;1;11\n'.encode()
    )
    pairs = find_pairs(str(table))
    assert [(p.moving_frame, p.fixed_frame) for p in pairs] == [
        (0, 12),
        (1, 11),
    ]


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('moving\na.nii\n', "no column 'fixed'"),
        ('moving,fixed,moving_label\na,b,c\n', "Did you mean 'moving_labels'"),
        ('moving,fixed\n', 'lists no pairs'),
        ('', "no column 'moving'"),
        ('moving,fixed\na.nii,\n', "Line 2 of pairs.csv has no 'fixed'"),
        ('moving,fixed,split\na,b,training\n', "split 'training'"),
        ('moving,fixed,fixed_frame\na,b,last\n', "frame 'last'"),
        ('moving,fixed\na,b\na,b\n', 'twice'),
    ],
)
def test_mistakes_in_a_table(tmp_path: Path, text: str, words: str) -> None:
    table = tmp_path / 'pairs.csv'
    table.write_text(text)
    with pytest.raises(InputError, match=words):
        find_pairs(str(table))


def test_a_pattern_finds_pairs_with_their_segmentations(
    tmp_path: Path,
) -> None:
    touch(
        tmp_path,
        'p1/p1_4CH_ED.nii.gz',
        'p1/p1_4CH_ES.nii.gz',
        'p1/p1_4CH_ED_gt.nii.gz',
        'p1/p1_4CH_ES_gt.nii.gz',
        'p2/p2_4CH_ED.nii.gz',
        'p2/p2_4CH_ES.nii.gz',
        'p3/p3_4CH_ED.nii.gz',  # no partner
        'p4/p5_4CH_ED.nii.gz',  # two patients in one name
        'p4/p5_4CH_ES.nii.gz',
    )
    pattern = f'{tmp_path}/{{patient}}/{{patient}}_4CH_{{ED>ES}}[|_gt].nii.gz'
    assert is_pattern(pattern)
    first, second = find_pairs(pattern)
    assert (first.name, second.name) == ('p1', 'p2')
    assert first.moving == tmp_path / 'p1' / 'p1_4CH_ED.nii.gz'
    assert first.fixed_labels == tmp_path / 'p1' / 'p1_4CH_ES_gt.nii.gz'
    assert second.moving_labels is None


def test_a_pattern_with_folders_for_images_and_labels(tmp_path: Path) -> None:
    touch(
        tmp_path,
        'images/7_base_t0.nii',
        'images/7_base_t1.nii',
        'labels/7_base_t0.nii',
        'labels/7_base_t1.nii',
        'images/7_apex_t0.nii',
        'images/7_apex_t1.nii',
    )
    pattern = f'{tmp_path}/[images|labels]/{{patient}}_{{level}}_{{t0>t1}}.nii'
    pairs = find_pairs(pattern)
    assert [p.name for p in pairs] == ['7 apex', '7 base']
    assert {p.group for p in pairs} == {'7'}
    assert pairs[1].moving_labels == tmp_path / 'labels' / '7_base_t0.nii'


@pytest.mark.parametrize(
    ('pattern', 'words'),
    [
        ('a_{ED>ES}.nii', 'what differs from pair to pair'),
        ('{id}_{ED>ES}.nii', 'No pair of files'),
        ('nowhere/{id}_{ED>ES}.nii', 'no folder'),
    ],
)
def test_patterns_that_find_nothing(
    tmp_path: Path, pattern: str, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        find_pairs(f'{tmp_path}/{pattern}')


def test_names_say_what_belongs_together(tmp_path: Path) -> None:
    touch(
        tmp_path,
        'p1/p1_4CH_ED.nii.gz',
        'p1/p1_4CH_ES.nii.gz',
        'p1/p1_4CH_ED_gt.nii.gz',
        'p1/p1_2CH_ED.nii.gz',
        'p1/p1_2CH_ES.nii.gz',
        'p1/notes.txt',
        'p2/moving.nii',
        'p2/fixed.nii',
        'p2/overview.nii',
    )
    pairs = {p.name: p for p in find_pairs(str(tmp_path))}
    assert set(pairs) == {'p1_2CH', 'p1_4CH', 'p2'}
    assert pairs['p1_4CH'].moving_labels is not None
    assert pairs['p1_4CH'].group == pairs['p1_2CH'].group == 'p1'


def test_a_folder_without_pairs(tmp_path: Path) -> None:
    touch(tmp_path, 'a.nii.gz', 'b.nii.gz')
    with pytest.raises(InputError, match='no pairs of images'):
        find_pairs(str(tmp_path))
    with pytest.raises(InputError, match='no folder or table'):
        find_pairs(str(tmp_path / 'nowhere'))

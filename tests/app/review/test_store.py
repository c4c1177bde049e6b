"""A review on the disk: whole, its own, and never in the way."""

from __future__ import annotations

import dataclasses
import json
import threading

import pytest

from napari_adacs.app.review import store
from napari_adacs.app.review.identity import Identity, review_path
from napari_adacs.app.review.store import (
    Saved,
    Saver,
    load_review,
    save_review,
)
from napari_adacs.app.review.verdicts import Judgement, Verdict
from napari_adacs.errors import InputError

IDENTITY = Identity('ab' * 32, 'ED', 'ES', 'small-3d', (16, 16, 16))
SAVED = Saved(
    IDENTITY,
    {
        (0, 3): Judgement(Verdict.FLAG, 'dropout “apex” µ', '2026-01-01'),
        (2, 0): Judgement(Verdict.ACCEPT),
        (1, 7): Judgement(None, 'look again'),
    },
    {'moving': [[1.0, 2.5, -3.0]], 'fixed': [[1.0, 2.0, -3.0]]},
)


def test_what_is_saved_is_read(tmp_path):
    path = tmp_path / 'new' / 'review.json'
    save_review(path, SAVED)
    found = load_review(path, IDENTITY)
    assert found == SAVED
    assert [p.name for p in path.parent.iterdir()] == ['review.json']


def test_without_a_file_there_is_no_review(tmp_path):
    assert load_review(tmp_path / 'review.json', IDENTITY) is None


def test_the_review_of_another_result_is_refused(tmp_path):
    path = tmp_path / 'review.json'
    save_review(path, SAVED)
    other = dataclasses.replace(IDENTITY, key='cd' * 32)
    with pytest.raises(InputError, match='another result.*ED → ES'):
        load_review(path, other)


@pytest.mark.parametrize(
    'text',
    [
        '',
        '[]',
        '{"schema": 1}',
        '{"schema": 1, "task": "register"}',
        '\x00\xff',
        '{"task": "review", "schema": 1, "result": {"key": 3}, "axes": {}}',
    ],
)
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / 'review.json'
    path.write_bytes(text.encode('latin-1'))
    with pytest.raises(InputError, match='not a review'):
        load_review(path, IDENTITY)


@pytest.mark.parametrize(
    ('axes', 'said'),
    [
        ({'5': {'0': {'verdict': 'flag'}}}, 'not a review'),
        ({'0': {'-1': {'verdict': 'flag'}}}, 'not a review'),
        ({'0': {'1': {'verdict': 'perhaps'}}}, 'not a review'),
        ({'0': {'1': 'flag'}}, 'not a review'),
    ],
)
def test_broken_verdicts_are_refused(tmp_path, axes, said):
    path = tmp_path / 'review.json'
    save_review(path, SAVED)
    content = json.loads(path.read_text(encoding='utf-8'))
    content['axes'] = axes
    path.write_text(json.dumps(content), encoding='utf-8')
    with pytest.raises(InputError, match=said):
        load_review(path, IDENTITY)


def test_a_newer_version_is_refused_readably(tmp_path):
    path = tmp_path / 'review.json'
    save_review(path, SAVED)
    content = json.loads(path.read_text(encoding='utf-8'))
    path.write_text(json.dumps({**content, 'schema': 99}), encoding='utf-8')
    with pytest.raises(InputError, match='newer version'):
        load_review(path, IDENTITY)


def test_the_saver_writes_the_latest_state(tmp_path):
    path = tmp_path / 'review.json'
    saver = Saver(path, pytest.fail)
    for index in range(50):
        judged = {(0, index): Judgement(Verdict.ACCEPT)}
        saver.save(dataclasses.replace(SAVED, judgements=judged))
    assert saver.flush()
    assert list(load_review(path, IDENTITY).judgements) == [(0, 49)]
    saver.save(SAVED)
    saver.close()
    assert load_review(path, IDENTITY) == SAVED


def test_a_slow_disk_does_not_hold_up_the_window(tmp_path, monkeypatch):
    go, written = threading.Event(), []

    def slow(path, saved):
        go.wait(10)
        written.append(saved)

    monkeypatch.setattr(store, 'save_review', slow)
    saver = Saver(tmp_path / 'review.json', pytest.fail)
    for _ in range(20):
        saver.save(SAVED)
    assert not saver.flush(0.05)
    go.set()
    saver.close()
    assert 1 <= len(written) <= 2


def test_a_disk_that_fails_is_heard_of(tmp_path):
    (tmp_path / 'file').write_text('in the way')
    said = []
    saver = Saver(tmp_path / 'file' / 'review.json', said.append)
    saver.save(SAVED)
    saver.close()
    assert 'was not saved' in said[0]


def test_where_reviews_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv('NAPARI_ADACS_REVIEWS', str(tmp_path))
    assert review_path('ab' * 32, None).parent == tmp_path
    folder = tmp_path / 'out'
    assert review_path('ab' * 32, folder) == folder / 'review.json'

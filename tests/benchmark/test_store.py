"""Records on disk."""

from __future__ import annotations

import pytest

from napari_adacs.benchmark.run import Plan, run_benchmark
from napari_adacs.benchmark.store import Store
from napari_adacs.benchmark.task import Task


def task(case='a', method='unregistered', made_from='x'):
    return Task('data', 2, case, method, method, 1, 'cpu', made_from)


def test_a_record_comes_back(tmp_path):
    store = Store(tmp_path)
    record = task().record('done', seconds=1.0, scores={})
    store.write(record)
    assert store.read(task()) == record
    assert store.read(task(case='b')) is None


def test_an_outdated_record_is_none(tmp_path):
    store = Store(tmp_path)
    store.write(task().record('done'))
    assert store.read(task(made_from='y')) is None


@pytest.mark.parametrize('text', ['', '{"case": ', '[]', '{}', '\x00\xff'])
def test_a_damaged_file_is_none(tmp_path, text):
    store = Store(tmp_path)
    store.write(task().record('done'))
    store.path('unregistered', 'a').write_text(text, encoding='latin-1')
    assert store.read(task()) is None


def test_records_under_a_former_name_are_read(tmp_path):
    store = Store(tmp_path)
    store.write(task(method='none').record('done', seconds=1.0, scores={}))
    found = store.read(task())
    assert found == task().record('done', seconds=1.0, scores={})
    # what is called so now is made from something else
    assert store.read(task(method='none', made_from='y')) is None
    assert store.read(task(made_from='y')) is None


def test_names_of_any_kind_stay_in_the_folder(tmp_path):
    store = Store(tmp_path)
    names = ['../x', 'a/b', 'a_b', 'a b', '.hidden', 'é', 'l' * 300, 'a:b']
    paths = {store.path('unregistered', name) for name in names}
    assert len(paths) == len(names)
    assert {path.parent for path in paths} == {
        tmp_path / 'cases' / 'unregistered'
    }
    for name in names:
        store.write(task(name).record('done'))
        assert store.read(task(name))['case'] == name


def test_leftovers_of_a_killed_run_are_removed(tmp_path):
    Store(tmp_path).write(task().record('done'))
    leftover = tmp_path / 'cases' / 'unregistered' / '.tmp-123-a.json'
    leftover.write_text('{"half')
    Store(tmp_path)
    assert not leftover.exists()


def test_only_what_is_missing_is_done(tmp_path):
    plan = Plan('phantom:2', 2, ('unregistered',))
    told = []
    first = run_benchmark(
        plan, tmp_path, progress=lambda f, m: told.append((f, m))
    )
    assert [r['status'] for r in first] == ['done', 'done']
    assert told[-1][0] == 1
    assert any('left' in message for _, message in told)
    times = {p: p.stat().st_mtime_ns for p in tmp_path.rglob('*.json')}
    more = Plan('phantom:3', 2, ('unregistered', 'demons'))
    second = run_benchmark(more, tmp_path)
    assert len(second) == 6
    assert second[0] == first[0]
    assert all(p.stat().st_mtime_ns == t for p, t in times.items())

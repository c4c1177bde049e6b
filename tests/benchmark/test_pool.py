"""Workers that die, hang or misbehave take nothing else along."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest
from scipy.io import savemat

from napari_adacs.benchmark.pool import Pool
from napari_adacs.benchmark.task import Task, perform
from tests.benchmark.test_sources import image


def make_tasks(folder, names=('a', 'b', 'c'), methods=('unregistered',)):
    for index, name in enumerate(names):
        savemat(
            folder / f'{name}.mat',
            {'im_ED': image(index), 'im_ES': image(index + 1)},
        )
    return [
        Task(str(folder), 2, name, method, method, 1, 'cpu', 'x')
        for name in names
        for method in methods
    ]


@pytest.mark.parametrize('jobs', [1, 2])
def test_every_task_is_answered(tmp_path, jobs):
    tasks = make_tasks(tmp_path, methods=('unregistered', 'demons'))
    with Pool(jobs, 1, tmp_path / 'log') as pool:
        records = list(pool.run(tasks))
    assert {(r['case'], r['method']) for r in records} == {
        (t.case, t.method) for t in tasks
    }
    assert all(r['status'] == 'done' for r in records)
    assert all(r['made_from'] == 'x' for r in records)


def test_a_bad_case_is_a_sentence(tmp_path):
    tasks = make_tasks(tmp_path)
    (tmp_path / 'b.mat').write_bytes(b'no matlab file')
    with Pool(1, 1, tmp_path / 'log') as pool:
        records = {r['case']: r for r in pool.run(tasks)}
    assert records['b']['status'] == 'failed'
    assert 'damaged' in records['b']['sentence']
    assert [records[n]['status'] for n in 'ac'] == ['done', 'done']


def test_a_killed_worker_is_replaced(tmp_path):
    tasks = make_tasks(tmp_path)
    with Pool(1, 1, tmp_path / 'log') as pool:
        answers = pool.run(tasks)
        assert next(answers)['status'] == 'done'
        # before it answers the next one: a crash, or the kernel's verdict
        os.kill(pool._desks[0].workers[''].process.pid, signal.SIGKILL)
        rest = {r['case']: r for r in answers}
    assert 'SIGKILL' in rest['b']['sentence']
    assert 'memory' in rest['b']['sentence']
    assert rest['c']['status'] == 'done'


def test_a_hanging_worker_is_given_up(tmp_path):
    tasks = make_tasks(tmp_path)
    with Pool(1, 1, tmp_path / 'log', limit=0.001) as pool:
        records = list(pool.run(tasks))
    assert {r['status'] for r in records} == {'failed'}
    assert 'Given up after 0.001 s.' in records[0]['sentence']


def test_what_libraries_raise_becomes_a_sentence(tmp_path, monkeypatch):
    from napari_adacs.benchmark.method import Nothing

    def burst(self, case, threads):
        raise RuntimeError('ITK ERROR: no.\nmore lines')

    monkeypatch.setattr(Nothing, 'register', burst)
    record = perform(make_tasks(tmp_path)[0])
    assert record['sentence'] == 'RuntimeError: ITK ERROR: no.'
    assert 'burst' in record['traceback']

    def hungry(self, case, threads):
        raise MemoryError

    monkeypatch.setattr(Nothing, 'register', hungry)
    record = perform(make_tasks(tmp_path)[0])
    assert 'out of memory' in record['sentence']


def test_families_have_processes_of_their_own(tmp_path):
    tasks = make_tasks(tmp_path, methods=('unregistered', 'demons'))
    tasks = [replace(t, family=t.method) for t in tasks]
    with Pool(1, 1, tmp_path / 'log') as pool:
        records = list(pool.run(tasks))
        workers = pool._desks[0].workers
        assert set(workers) == {'unregistered', 'demons'}
        assert len({w.process.pid for w in workers.values()}) == 2
    assert [r['status'] for r in records] == ['done'] * 6


def test_no_process_stays_behind(tmp_path):
    with Pool(2, 1, tmp_path / 'log') as pool:
        next(pool.run(make_tasks(tmp_path)))
        processes = [
            worker.process
            for desk in pool._desks
            for worker in desk.workers.values()
        ]
    assert processes
    assert not any(process.is_alive() for process in processes)

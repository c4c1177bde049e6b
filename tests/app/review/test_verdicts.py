"""Deciding, taking back, and counting."""

from __future__ import annotations

import pytest

from napari_adacs.app.review.verdicts import Review, Verdict


@pytest.fixture
def review():
    return Review()


def test_a_verdict_and_a_note(review):
    review.judge([(0, 3)], Verdict.FLAG)
    review.annotate((0, 3), 'septum')
    judgement = review.at((0, 3))
    assert (judgement.verdict, judgement.note) == (Verdict.FLAG, 'septum')
    assert judgement.at.startswith('20')
    review.judge([(0, 3)], Verdict.REJECT)
    assert review.at((0, 3)).note == 'septum'
    assert review.at((1, 3)).empty


def test_progress_counts_verdicts_along_one_axis(review):
    review.judge([(0, i) for i in range(37)], Verdict.ACCEPT)
    review.judge([(1, 0)], Verdict.REJECT)
    review.annotate((0, 50), 'only a note')
    assert review.progress(0, 64) == '37 of 64 reviewed'
    assert review.counts(0)[Verdict.ACCEPT] == 37
    assert review.reviewed(1) == {0}
    assert sorted(review.along(0)) == [*range(37), 50]


def test_undo_and_redo(review):
    heard = []
    review.on_change(lambda: heard.append(review.judgements))
    review.judge([(0, 1)], Verdict.ACCEPT)
    review.judge([(0, 1), (0, 2)], Verdict.REJECT)
    assert review.undo() == (0, 1)
    assert review.judgements[(0, 1)].verdict is Verdict.ACCEPT
    assert (0, 2) not in review.judgements
    assert review.redo() == (0, 1)
    assert review.at((0, 2)).verdict is Verdict.REJECT
    review.undo()
    review.undo()
    assert review.undo() is None
    assert review.judgements == {}
    assert len(heard) == 6
    review.judge([(0, 9)], Verdict.FLAG)
    assert not review.can_redo


def test_typing_a_note_is_one_step(review):
    for text in ('a', 'ap', 'apex'):
        review.annotate((0, 5), text)
    review.annotate((0, 6), 'base')
    review.undo()
    assert review.at((0, 5)).note == 'apex'
    review.undo()
    assert review.judgements == {}
    review.redo()
    assert review.at((0, 5)).note == 'apex'


def test_the_same_again_is_no_step(review):
    review.judge([(0, 1)], Verdict.ACCEPT)
    review.judge([(0, 1)], Verdict.ACCEPT)
    review.undo()
    assert not review.can_undo


def test_clearing_can_be_undone(review):
    review.judge([(0, 1)], Verdict.ACCEPT)
    review.clear([(0, 1), (0, 2)])
    assert review.judgements == {}
    review.undo()
    assert review.reviewed(0) == {1}


def test_verdicts_differ_in_more_than_colour():
    assert len({v.letter for v in Verdict}) == len(Verdict)
    assert len({v.colour for v in Verdict}) == len(Verdict)

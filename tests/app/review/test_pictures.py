"""Pictures, tables and reports that open anywhere."""

from __future__ import annotations

import base64
import csv
import json
import re
import threading
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from napari_adacs.app.review.landmarks import LandmarkRow
from napari_adacs.app.review.pictures import Volumes, slice_pictures
from napari_adacs.app.review.png import data_uri, encode_png
from napari_adacs.app.review.ready import make_ready, review_request
from napari_adacs.app.review.report import ReportRequest, save_report
from napari_adacs.app.review.table import review_rows, save_review_table
from napari_adacs.app.review.verdicts import Review, Verdict
from napari_adacs.errors import CancelledError, InputError
from tests.app.pairs import texture
from tests.app.review.runs import shown_run

QUIET = threading.Event()


def quiet(fraction, message):
    """Report nothing."""


@pytest.mark.parametrize('shape', [(1, 1, 3), (7, 5, 3), (64, 33, 3)])
def test_other_programs_read_our_png(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    read = np.asarray(Image.open(BytesIO(encode_png(pixels))))
    np.testing.assert_array_equal(read, pixels)
    encoded = data_uri(pixels).removeprefix('data:image/png;base64,')
    assert base64.b64decode(encoded) == encode_png(pixels)


def test_only_pictures_are_encoded():
    with pytest.raises(ValueError, match='uint8'):
        encode_png(np.zeros((4, 4, 3)))


class TestPictures:
    def _volumes(self, **more):
        fixed, warped = texture((12, 20, 16), 0), texture((12, 20, 16), 1)
        return Volumes(fixed, warped, (3.0, 2.0, 1.0), **more)

    @pytest.mark.parametrize('axis', [0, 1, 2])
    def test_pixels_are_square_in_the_world(self, axis):
        volumes = self._volumes()
        found = slice_pictures(volumes, (axis, 5), volumes.limits())
        size = np.array([12 * 3, 20 * 2, 16 * 1])
        height, width = np.delete(size, axis)
        for pixels in found.values():
            ratio = pixels.shape[0] / pixels.shape[1]
            assert ratio == pytest.approx(height / width, rel=0.03)

    def test_each_shows_what_it_says(self):
        volumes = self._volumes(
            map_name='score', map_values=texture((12, 20, 16), 2)
        )
        limits = volumes.limits()
        found = slice_pictures(volumes, (0, 5), limits)
        assert list(found) == [
            'fixed',
            'warped',
            'fixed − warped',
            'checkerboard',
            next(x for x in found if x.startswith('score')),
        ]
        fixed, warped, board = (
            found[x].astype(int) for x in ('fixed', 'warped', 'checkerboard')
        )
        from_fixed = (board == fixed).all(axis=2)
        from_warped = (board == warped).all(axis=2)
        assert (from_fixed | from_warped).all()
        assert 0.3 < from_fixed.mean() < 0.7
        # orange where the fixed image is brighter, blue where it is darker
        signed = found['fixed − warped'].astype(int)
        brighter = (fixed - warped)[..., 0] > 40
        assert (signed[..., 0] > signed[..., 2])[brighter].all()
        darker = (fixed - warped)[..., 0] < -40
        assert (signed[..., 0] < signed[..., 2])[darker].all()

    def test_the_plane_is_the_slice(self):
        volumes = self._volumes()
        pixels = slice_pictures(volumes, (0, 5), volumes.limits())['fixed']
        low, high = volumes.limits()['fixed']
        plane = np.clip((volumes.fixed[5] - low) / (high - low), 0, 1)
        shown = pixels[..., 0] / 255
        assert (
            np.corrcoef(
                shown[:: shown.shape[0] // 20][:20, :: shown.shape[1] // 16][
                    :, :16
                ].ravel(),
                plane.ravel(),
            )[0, 1]
            > 0.8
        )

    def test_outlines_follow_the_labels(self):
        labels = np.zeros((12, 20, 16), np.uint8)
        labels[:, 5:15, 4:12] = 1
        volumes = self._volumes(fixed_labels=labels, warped_labels=0 * labels)
        found = slice_pictures(volumes, (0, 5), volumes.limits())
        drawn = found[next(x for x in found if x.startswith('labels'))]
        green = (drawn == (0, 158, 115)).all(axis=2)
        rows, columns = np.nonzero(green)
        height, width = green.shape
        assert rows.min() == pytest.approx(height * 5 / 20, abs=3)
        assert rows.max() == pytest.approx(height * 15 / 20, abs=3)
        assert columns.min() == pytest.approx(width * 4 / 16, abs=3)
        assert not green[height // 2, width // 2]

    def test_2d(self):
        volumes = Volumes(texture((20, 16)), texture((20, 16), 1), (1.0, 1.0))
        found = slice_pictures(volumes, (0, 0), volumes.limits())
        assert found['fixed'].shape == found['checkerboard'].shape


@pytest.fixture
def ready(viewer_model):
    run = shown_run(viewer_model, labels=True)
    return make_ready(review_request(viewer_model, run), quiet, QUIET)


@pytest.fixture
def review():
    review = Review()
    review.judge([(0, k) for k in range(5)], Verdict.ACCEPT)
    review.judge([(0, 7)], Verdict.FLAG)
    review.annotate((0, 7), '=cmd() & "quoted" <b>septum</b>')
    review.judge([(1, 3)], Verdict.REJECT)
    return review


class TestTable:
    def test_a_row_per_slice(self, ready, review, tmp_path):
        rows = review_rows(ready.figures, review.judgements, [0, 1])
        save_review_table(tmp_path / 'r.csv', rows)
        text = (tmp_path / 'r.csv').read_text(encoding='utf-8')
        read = list(csv.DictReader(text.splitlines()))
        assert len(read) == 32
        assert read[7]['verdict'] == 'flag'
        assert read[7]['note'].startswith("'=cmd()")
        assert read[16 + 3]['verdict'] == 'reject'
        assert read[8]['verdict'] == ''
        expected = 100 * ready.figures[0].suspicion[7]
        assert float(read[7]['suspicion']) == pytest.approx(expected, abs=0.01)
        assert {'score', 'residual', 'folding', 'dsc'} <= set(read[0])


class _Balance(HTMLParser):
    """Checks that every element is closed."""

    VOID = ('meta', 'img', 'br', 'rect', 'circle', 'path', 'polygon')

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


class TestReport:
    def _text(self, ready, review, tmp_path, landmarks=()):
        request = ReportRequest(
            ready, review.judgements, 0, ('z', 'y', 'x'), landmarks
        )
        save_report(tmp_path / 'r.html', request, quiet, QUIET)
        return (tmp_path / 'r.html').read_text(encoding='utf-8')

    def test_what_is_in_it(self, ready, review, tmp_path):
        landmarks = (LandmarkRow(5.0, 1.25), LandmarkRow(note='moving'))
        text = self._text(ready, review, tmp_path, landmarks)
        parser = _Balance()
        parser.feed(text)
        assert parser.open == []
        # two slices with fixed, warped, difference, board, labels, score
        assert parser.seen.count('img') == 12
        assert '6 of 16 reviewed' in text
        assert '1 of 16 reviewed' in text
        assert 'Slice 7 along z flagged' in text
        assert 'Slice 3 along y rejected' in text
        assert '&lt;b&gt;septum' in text
        assert '<b>septum' not in text
        assert '1.25' in text
        assert 'made-up' in text

    def test_it_needs_nothing_else(self, ready, review, tmp_path):
        text = self._text(ready, review, tmp_path)
        assert not re.search(r'(?:src|href)="(?!data:)', text)
        assert 'http' not in re.sub(r'data:[^"]*', '', text)

    def test_the_record_is_whole(self, ready, review, tmp_path):
        text = self._text(ready, review, tmp_path)
        record = re.findall(r'<pre>(.*?)</pre>', text, re.DOTALL)[-1]
        found = json.loads(record.replace('&quot;', '"'))
        assert found['inputs'] == ready.request.run.record['inputs']

    def test_a_review_without_flags(self, ready, tmp_path):
        text = self._text(ready, Review(), tmp_path)
        assert 'None.' in text
        assert '0 of 16 reviewed' in text

    def test_cancelling_writes_nothing(self, ready, review, tmp_path):
        cancel = threading.Event()
        cancel.set()
        request = ReportRequest(ready, review.judgements)
        with pytest.raises(CancelledError):
            save_report(tmp_path / 'r.html', request, quiet, cancel)
        assert not (tmp_path / 'r.html').exists()

    def test_a_folder_that_does_not_exist(self, ready, review, tmp_path):
        request = ReportRequest(ready, review.judgements)
        with pytest.raises(InputError, match='no folder'):
            save_report(tmp_path / 'a' / 'r.html', request, quiet, QUIET)

"""Tables, statistics, plots and the report from records with known numbers."""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

from napari_adacs.benchmark.box_plot import box_plot
from napari_adacs.benchmark.results import DSC, FOLDED, Results
from napari_adacs.benchmark.significance import differences
from napari_adacs.benchmark.summary import summary_table
from napari_adacs.benchmark.svg import ticks
from napari_adacs.benchmark.text_tables import html, latex, markdown
from napari_adacs.benchmark.write import Wanted, write_results
from napari_adacs.evaluation.statistics import paired_t_test, wilcoxon_test
from tests.benchmark.made_up import failure, record, results, row


def test_columns_are_aligned_by_case():
    records = [
        record('b', 'two', 0.7),
        record('a', 'one', 0.5),
        record('a', 'two', 0.6),
    ]
    found = Results(records)
    assert found.methods == ['b', 'a']
    assert found.cases == ['two', 'one']
    assert found.values(DSC, 'a').tolist() == [0.6, 0.5]
    assert found.values(DSC, 'b')[0] == 0.7
    assert np.isnan(found.values(DSC, 'b')[1])
    assert found.labels == [1, 'mean']


def test_best_and_second_are_marked_and_none_is_not():
    table = summary_table(results(), 'mean')
    places = {
        row[0].text: dict(
            zip(table.heads, (e.place for e in row), strict=True)
        )
        for row in table.rows
    }
    for heading in ('DSC ↑', 'HD (mm) ↓', 'ASD (mm) ↓'):
        assert places['better'][heading] == 1
        assert places['good'][heading] == 2
        assert places['unregistered'][heading] == 0
    # equal as printed: both are the best
    assert places['good']['folded % ↓'] == places['better']['folded % ↓'] == 1
    assert places['unregistered']['s ↓'] == 0
    assert places['good']['SDlogJ'] == 0


def test_one_markup_each():
    table = summary_table(results(), 'mean')
    texts = markdown(table), latex(table), html(table)
    assert re.search(r'\| better \| \*\*0\.8\d\d ± 0', texts[0])
    assert re.search(r'\| good \| _0\.7\d\d ± 0', texts[0])
    assert re.search(r'better & \\textbf\{0\.8\d\d \$\\pm\$', texts[1])
    assert re.search(r'good & \\underline\{0', texts[1])
    assert r'folded \% $\downarrow$' in texts[1]
    assert re.search(r'<td>better</td><td><b>0\.8', texts[2])
    assert re.search(r'<td>good</td><td><u>0', texts[2])


def test_failures_and_flags_are_counted():
    records = list(results().records)
    records = [
        failure('good', 'case0', 'It broke.')
        if (r['method'], r['case']) == ('good', 'case0')
        else r
        for r in records
    ]
    flagged = next(r for r in records if r['method'] == 'better')
    flagged['scores']['labels'] = {
        'default': [row(1, 0.0, ('missing in moving',)), row('mean', 0.0)],
        'code': [row(1, None, ('missing in moving',)), row('mean', None)],
    }
    found = Results(records)
    table = summary_table(found, 1)
    assert [r[-1].text for r in table.rows] == ['12', '11', '12 (1 flagged)']
    theirs = summary_table(found, 1, 'code')
    assert theirs.rows[2][-1].text == '11 (1 flagged)'
    assert 'left out' in ' '.join(theirs.notes)
    assert any('good failed for 1 of 12' in note for note in table.notes)
    assert found.values(DSC, 'better', 1)[0] == 0
    assert np.isnan(found.values(DSC, 'better', 1, 'code')[0])


def test_differences_are_paired_and_corrected():
    found = results()
    tests = [t for t in differences(found, 'good') if t.label == 'mean']
    assert {t.method for t in tests} == {'better'}
    overlap = tests[0]
    columns = found.values(DSC, 'better'), found.values(DSC, 'good')
    # one comparison: nothing to correct for
    assert overlap.p_t == pytest.approx(paired_t_test(*columns).p)
    assert overlap.p_wilcoxon == pytest.approx(wilcoxon_test(*columns).p)
    assert overlap.mean == pytest.approx(np.mean(columns[0] - columns[1]))
    assert overlap.low < 0.05 < overlap.high
    assert overlap.p_t < 0.01


def test_holm_counts_the_methods():
    records = list(results().records)
    twin = [
        {**r, 'method': 'twin'} for r in records if r['method'] == 'better'
    ]
    alone = differences(results(), 'good')[0]
    both = differences(Results(records + twin), 'good')
    assert both[0].p_t == pytest.approx(2 * alone.p_t)
    assert {t.method for t in both} == {'better', 'twin'}


def test_ticks_are_round():
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ticks(-3, 17) == [0, 5, 10, 15]
    assert ticks(2, 2) == [2]


def test_box_plot_shows_quartiles():
    drawing = ET.fromstring(
        box_plot(
            'T < 1 & "x"',
            'mm',
            {'a<b': np.arange(5.0), 'empty': np.array([np.nan])},
        )
    )
    tag = '{http://www.w3.org/2000/svg}'
    texts = [t.text for t in drawing.iter(f'{tag}text')]
    assert 'T < 1 & "x"' in texts
    assert 'a<b' in texts
    assert 'empty' in texts
    boxes = list(drawing.iter(f'{tag}rect'))[1:]
    assert len(boxes) == 1
    # the box from 1 to 3 is half of what the whiskers from 0 to 4 reach
    whiskers = [
        [float(p.split(',')[0]) for p in line.get('points').split()]
        for line in drawing.iter(f'{tag}polyline')
    ]
    left = float(boxes[0].get('x'))
    width = float(boxes[0].get('width'))
    ends = [w for w in whiskers if w[1] == pytest.approx(left) and w[0] < left]
    assert width / 2 == pytest.approx(left - ends[0][0], abs=0.2)


class Links(HTMLParser):
    """Collects whatever a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.found += [named[k] for k in ('src', 'href') if k in named]
        if tag in ('script', 'link', 'img', 'iframe', 'object'):
            self.found.append(tag)
        self.open.append(tag)


def test_files(tmp_path):
    found = Results(
        [*results().records, failure('good', 'case99', 'It <broke> & fell.')]
    )
    (tmp_path / 'box_old.svg').write_text('from an earlier run')
    names = write_results(
        tmp_path,
        found,
        Wanted('A <title>', 'good', {'Data': 'here & there'}, {1: 'wall'}),
    )
    assert not (tmp_path / 'box_old.svg').exists()
    assert {
        'results.csv',
        'differences.csv',
        'tables.md',
        'tables.tex',
        'report.html',
        'box_dsc_1.svg',
    } <= set(names)
    for name in names:
        if name.endswith('.svg'):
            ET.parse(tmp_path / name)
    page = (tmp_path / 'report.html').read_text(encoding='utf-8')
    links = Links()
    links.feed(page)
    assert links.found == []
    assert 'svg' in links.open
    assert 'It &lt;broke&gt; &amp; fell.' in page
    assert 'A &lt;title&gt;' in page
    assert 'Label 1, wall' in page
    with (tmp_path / 'results.csv').open(newline='') as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 3 * 12 * 2 + 1
    assert rows[0]['DSC'] == repr(
        float(found.values(DSC, 'unregistered', 1)[0])
    )
    assert rows[-1]['status'] == 'failed'
    assert rows[-1]['notes'] == 'It <broke> & fell.'


def test_without_labels(tmp_path):
    bare = [record('unregistered', 'a', 1), record('m', 'a', 1)]
    for one in bare:
        one['scores']['labels'] = {}
    found = Results(bare)
    assert found.labels == []
    assert found.values(FOLDED, 'm').tolist() == [0]
    names = write_results(tmp_path, found, Wanted('T', 'm'))
    assert 'differences.csv' not in names
    assert '| m |' in (tmp_path / 'tables.md').read_text(encoding='utf-8')

"""Records with known numbers, without registering anything."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_adacs.benchmark.results import Results

FOLDING = {
    'folded_percent': 0.0,
    'folded_percent_strict': 0.0,
    'sd_log_jacobian': 0.1,
}


def row(label: Any, dsc: float | None, flags: tuple[str, ...] = ()) -> Any:
    """One label; distances follow from the overlap."""
    far = None if dsc is None else 10 * (1 - dsc)
    return {
        'label': label,
        'dsc': dsc,
        'jaccard': dsc,
        **dict.fromkeys(('hd', 'hd95', 'asd', 'assd'), far),
        'volume_moving': 5.0,
        'volume_fixed': 4.0,
        'volume_warped': 4.5,
        'flags': list(flags),
    }


def record(method: str, case: str, dsc: float, **more: Any) -> dict[str, Any]:
    """A case that went well."""
    rows = [row(1, dsc), row('mean', dsc)]
    scores = {
        'units': 'mm',
        'spacing': [1.0, 1.0],
        'labels': {'default': rows, 'code': rows},
        'folding': FOLDING,
        'maps': {},
    }
    return {
        'case': case,
        'method': method,
        'made_from': '',
        'status': 'done',
        'sentence': '',
        'seconds': 1.5,
        'scores': scores,
        **more,
    }


def failure(method: str, case: str, sentence: str) -> dict[str, Any]:
    """A case that did not go well."""
    return {
        'case': case,
        'method': method,
        'made_from': '',
        'status': 'failed',
        'sentence': sentence,
    }


def results(cases: int = 12) -> Results:
    """Three methods: no registration, a good one and a slightly better one."""
    rng = np.random.default_rng(0)
    records = []
    for index in range(cases):
        base = float(rng.uniform(0.5, 0.6))
        for method, gain in (
            ('unregistered', 0),
            ('good', 0.2),
            ('better', 0.25),
        ):
            noise = float(rng.normal(0, 0.01)) if gain else 0
            records.append(record(method, f'case{index}', base + gain + noise))
    return Results(records)

from __future__ import annotations

import psutil
import pytest

from napari_adacs.errors import InputError
from napari_adacs.io.memory import check_budget, format_bytes, memory_budget


def test_budget_is_a_quarter_of_what_is_free() -> None:
    assert 0 < memory_budget() <= psutil.virtual_memory().total // 4
    check_budget('x.nii', 1, None)
    with pytest.raises(InputError, match='x.nii needs 1000 TB of memory'):
        check_budget('x.nii', 10**15 - 1, None)


@pytest.mark.parametrize(
    ('count', 'text'),
    [
        (0, '0 bytes'),
        (9999, '9999 bytes'),
        (12_345, '12.35 kB'),
        (1_000_000, '1 MB'),
        (5_900_000_000, '5.9 GB'),
        (30000**3 * 8, '216 TB'),
        (10**21, '1e+06 PB'),
    ],
)
def test_sizes_for_people(count: int, text: str) -> None:
    assert format_bytes(count) == text

"""A session and a folder of reviews of our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_adacs.app import session


@pytest.fixture(autouse=True)
def reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder in which reviews of unsaved results are kept."""
    monkeypatch.setattr(session, '_RUNS', {})
    monkeypatch.setenv('NAPARI_ADACS_REVIEWS', str(tmp_path / 'reviews'))
    return tmp_path / 'reviews'

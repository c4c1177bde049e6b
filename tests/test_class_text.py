"""Reading classes that are not imported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from napari_adacs import class_text
from napari_adacs.class_text import read_class, registered

BASE = '''
from dataclasses import dataclass
from typing import ClassVar

@dataclass
class Base:
    """A base. It has more to say.

    Parameters
    ----------
    mode : {'slow', 'fast'}, default: 'slow'
        How fast,
        in a word.
    """

    name: ClassVar[str]
    mode: str = 'slow'
'''
MADE = '''
raise ImportError('must not be imported')
from made_up_package.base import Base
from elsewhere import Other

@dataclass
class Made(Base):
    """Something made up.

    Parameters
    ----------
    mode : {'slow', 'fast'}, default: 'slow'
        As in `Base`.
    low, high : float
        Ends of a range.

    Notes
    -----
    other : is no parameter
    """

    name: ClassVar[str] = 'made'
    low: float = -1.5
    high: float = float('inf')

ALL = {'made': Made, 'base': Base}
'''


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that cannot be imported, only read."""
    folder = tmp_path / 'made_up_package'
    folder.mkdir()
    (folder / '__init__.py').touch()
    (folder / 'base.py').write_text(BASE)
    (folder / 'made.py').write_text(MADE)
    monkeypatch.syspath_prepend(str(tmp_path))
    class_text._tree.cache_clear()


def test_fields_of_the_base_come_first_with_its_explanation() -> None:
    found = read_class('made_up_package.made', 'Made')
    mode, low, high = found.parameters
    assert (mode.name, mode.default, mode.text) == (
        'mode',
        'slow',
        'How fast, in a word.',
    )
    assert mode.choices == ('slow', 'fast')
    assert (low.name, low.kind, low.default) == ('low', 'float', -1.5)
    assert high.text == low.text == 'Ends of a range.'
    # not a literal
    assert high.default is None
    assert found.constants == {'name': 'made'}
    assert found.summary == 'Something made up'
    assert 'made_up_package.made' not in sys.modules


def test_a_registry_names_classes_by_key_in_its_order() -> None:
    found = registered('made_up_package.made', 'ALL')
    assert found == {
        'made': ('made_up_package.made', 'Made'),
        'base': ('made_up_package.base', 'Base'),
    }


def test_what_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        read_class('made_up_package.base', 'Nothing')
    with pytest.raises(KeyError):
        read_class('made_up_package.nothing', 'Nothing')

"""The rooms of the house and the doors between them.

Two kinds of proof. Statically, every import statement of every module is held
against the table of rooms (also those inside functions: knowing a room is
knowing it); an annotation may besides name the values that another room hands
on. At run time, modules are imported in fresh interpreters, which
must not load more than the room may cost.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / 'src'
PACKAGE = 'napari_adacs'

# Small tools that know no room: open to all.
OPEN = (
    f'{PACKAGE}.errors',
    f'{PACKAGE}.io.atomic',
    f'{PACKAGE}.class_text',
)

# Which room may know which.
MAY_IMPORT: dict[str, set[str]] = {
    'errors': set(),
    'class_text': set(),
    'spatial': set(),
    # integrating a velocity lives in spatial, losses that a network brings
    # along, such as the prior of a probabilistic one, in objectives
    'networks': {'objectives', 'spatial'},
    'objectives': {'spatial'},
    'weighting': {'networks', 'objectives', 'spatial'},
    'models': {'networks', 'weighting'},
    'phantom': {'spatial'},
    # A network is trained on files as register() will show them to it: the
    # same readers, the same preprocessing; it is chosen by the Dice that
    # evaluation will report.
    'training': {
        'evaluation',
        'io',
        'models',
        'networks',
        'objectives',
        'phantom',
        'registration',
        'spatial',
        'weighting',
    },
    'registration': {
        'models',
        'networks',
        'objectives',
        'spatial',
        'weighting',
    },
    'evaluation': {'spatial'},
    # measures what the others make, on cases from anywhere, a training run
    # included: its table goes into the folder of the run
    'benchmark': {
        'evaluation',
        'io',
        'models',
        'phantom',
        'registration',
        'runs',
        'spatial',
        'training',
    },
    # A run seen from outside; the files it leaves say who wrote what.
    'runs': {'io', 'models', 'spatial', 'training'},
    'sequences': {'evaluation', 'registration', 'spatial'},
    'io': {'spatial'},
}
CORE = set(MAY_IMPORT)
MAY_IMPORT['app'] = CORE
MAY_IMPORT['widgets'] = {'app'}
MAY_IMPORT['cli'] = CORE | {'app', ''}
MAY_IMPORT['__main__'] = {'cli'}

QT = {'qtpy', 'magicgui', 'superqt', 'PyQt5', 'PyQt6', 'PySide2', 'PySide6'}
NAPARI = {'napari', 'npe2'}
NO_TORCH = {
    'class_text',
    'errors',
    'evaluation',
    'io',
    'phantom',
    'runs',
    'widgets',
}
# Anything here would be felt when napari asks the package for its manifest.
HEAVY = QT | NAPARI | {'torch', 'numpy', 'scipy', 'skimage', 'nibabel', 'pint'}


def _module_name(path: Path) -> str:
    parts = path.relative_to(SRC).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


MODULES = {
    _module_name(path): path
    for path in sorted(SRC.rglob(f'{PACKAGE}/**/*.py'))
}


def _room(module: str) -> str:
    parts = module.split('.')
    return parts[1] if len(parts) > 1 else ''


CORE_MODULES = [m for m in MODULES if _room(m) in CORE]
APP_MODULES = [m for m in MODULES if _room(m) == 'app']
WIDGET_MODULES = [m for m in MODULES if _room(m) == 'widgets']


# ---- reading import statements ---------------------------------------------


def _imported(node: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    """Yield the absolute dotted names that one statement may import."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ''
        if node.level:
            parts = module.split('.')
            keep = len(parts) - node.level + (1 if is_package else 0)
            base = '.'.join([*parts[:keep], *filter(None, [base])])
        for alias in node.names:
            yield f'{base}.{alias.name}'


class When(Enum):
    """Which import statements to read."""

    LOADING = 'when the module is imported'
    RUNNING = 'then, or inside functions'
    EVER = 'and for annotations'


def _walk(tree: ast.Module, when: When) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_function and when is When.LOADING:
            continue
        for_types = isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.dump(
            node.test
        )
        if for_types and when is not When.EVER:
            waiting.extend(node.orelse)
            continue
        waiting.extend(ast.iter_child_nodes(node))


@cache
def _imports(module: str, when: When) -> frozenset[str]:
    """Dotted names that a module imports."""
    path = MODULES[module]
    nodes = _walk(ast.parse(path.read_text(encoding='utf-8')), when)
    is_package = path.name == '__init__.py'
    return frozenset(
        name for node in nodes for name in _imported(node, module, is_package)
    )


def _rooms_known(module: str, when: When = When.RUNNING) -> set[str]:
    """Rooms that a module imports from, its own left out."""
    names = _imports(module, when)
    inside = {n for n in names if n.split('.')[0] == PACKAGE}
    inside = {n for n in inside if not n.startswith(OPEN)}
    # `import napari_adacs` is a back door to every room: the room ''
    rooms = {_room(n) for n in inside - {f'{PACKAGE}.__version__'}}
    return {room for room in rooms if room != _room(module)}


def _third_party(module: str) -> set[str]:
    names = _imports(module, When.EVER)
    return {name.split('.')[0] for name in names} - {PACKAGE}


def _reachable(room: str) -> set[str]:
    """Rooms behind the doors of a room, through any number of them."""
    found: set[str] = set()
    waiting = set(MAY_IMPORT[room])
    while waiting:
        door = waiting.pop()
        found.add(door)
        waiting |= MAY_IMPORT.get(door, set()) - found
    return found


def _modules_loaded(module: str) -> set[str]:
    """Modules of the package that a module loads with itself."""
    found = set()
    for name in _imports(module, When.LOADING):
        while name and name not in MODULES:
            name = name.rpartition('.')[0]
        if name and name != module:
            found.add(name)
    return found


# ---- the table -------------------------------------------------------------


@pytest.mark.parametrize('module', [m for m in MODULES if m != PACKAGE])
def test_every_module_stands_in_a_known_room(module: str) -> None:
    assert _room(module) in MAY_IMPORT


@pytest.mark.parametrize('module', [m for m in MODULES if m != PACKAGE])
def test_a_module_knows_only_the_rooms_it_may(module: str) -> None:
    unknown = _rooms_known(module) - MAY_IMPORT[_room(module)]
    assert not unknown, f'{module} reaches into {sorted(unknown)}'


@pytest.mark.parametrize('module', [m for m in MODULES if m != PACKAGE])
def test_annotations_name_only_what_a_door_leads_to(module: str) -> None:
    unknown = _rooms_known(module, When.EVER) - _reachable(_room(module))
    assert not unknown, f'{module} names types of {sorted(unknown)}'


@pytest.mark.parametrize('module', CORE_MODULES)
def test_the_core_names_neither_napari_nor_qt(module: str) -> None:
    assert not _third_party(module) & (NAPARI | QT)


@pytest.mark.parametrize('module', APP_MODULES)
def test_the_app_names_no_qt(module: str) -> None:
    assert not _third_party(module) & QT


@pytest.mark.parametrize(
    'module', [m for m in MODULES if _room(m) in NO_TORCH]
)
def test_rooms_without_torch_do_not_name_it(module: str) -> None:
    assert 'torch' not in _third_party(module)


@pytest.mark.parametrize('module', OPEN)
def test_a_tool_for_all_knows_no_room(module: str) -> None:
    assert not _rooms_known(module, When.EVER)


def test_the_table_has_no_cycle() -> None:
    TopologicalSorter(MAY_IMPORT).prepare()


def test_modules_do_not_load_each_other_in_a_cycle() -> None:
    graph = {module: _modules_loaded(module) for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(' → '.join(error.args[1]))


@pytest.mark.parametrize(
    'module',
    [
        m
        for m, path in MODULES.items()
        # the package and the command line are front doors, not rooms
        if path.name == '__init__.py' and m not in (PACKAGE, f'{PACKAGE}.cli')
    ],
)
def test_a_room_says_what_it_is_and_imports_nothing(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding='utf-8'))
    assert ast.get_docstring(tree)
    assert not _imports(module, When.EVER) - {'__future__.annotations'}


def test_the_reader_of_imports_sees_what_it_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'grid.py'
    path.write_text(
        'from ..models import library\n'
        'from typing import TYPE_CHECKING\n'
        'if TYPE_CHECKING:\n'
        '    from napari_adacs.widgets.parts import Box\n'
        'def run():\n'
        '    import torch.nn\n',
    )
    name = f'{PACKAGE}.spatial.made_up'
    monkeypatch.setitem(MODULES, name, path)
    assert _rooms_known(name) == {'models'}
    assert _rooms_known(name, When.EVER) == {'models', 'widgets'}
    assert 'torch' in _third_party(name)
    assert f'{PACKAGE}.models.library' in _imports(name, When.LOADING)
    assert 'torch.nn' not in _imports(name, When.LOADING)


# ---- what importing really loads -------------------------------------------

PROBE = """
import importlib, json, sys
modules, unwanted = json.loads(sys.argv[1])
blame, seen = {}, set()
for module in modules:
    try:
        importlib.import_module(module)
    except Exception as error:
        blame[module] = [f'does not import: {error!r}']
        continue
    loaded = {name for name in unwanted if name in sys.modules} - seen
    blame[module] = sorted(loaded)
    seen |= loaded
print(json.dumps(blame))
"""


def _probe(modules: Iterable[str], unwanted: set[str]) -> dict[str, list[str]]:
    """Import modules in a fresh interpreter; tell which loaded what first."""
    question = json.dumps([list(modules), sorted(unwanted)])
    path = os.pathsep.join([str(SRC), os.environ.get('PYTHONPATH', '')])
    done = subprocess.run(
        [sys.executable, '-c', PROBE, question],
        env={**os.environ, 'PYTHONPATH': path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.fixture(scope='module')
def loaded_by_core() -> dict[str, list[str]]:
    """Napari and Qt modules that the rooms left of the app load."""
    return _probe([*CORE_MODULES, *_CLI], NAPARI | QT)


@pytest.fixture(scope='module')
def loaded_by_widgets() -> dict[str, list[str]]:
    """Whether torch comes with the widgets or with what they stand on."""
    return _probe([*APP_MODULES, *WIDGET_MODULES], {'torch'})


_CLI = [m for m in MODULES if _room(m) == 'cli']


def test_the_package_itself_loads_nothing() -> None:
    assert _probe([PACKAGE], HEAVY)[PACKAGE] == []


@pytest.mark.parametrize('module', [*CORE_MODULES, *_CLI])
def test_the_core_loads_neither_napari_nor_qt(
    module: str, loaded_by_core: dict[str, list[str]]
) -> None:
    assert loaded_by_core[module] == []


@pytest.mark.parametrize('module', [*APP_MODULES, *WIDGET_MODULES])
def test_opening_a_widget_loads_no_torch(
    module: str, loaded_by_widgets: dict[str, list[str]]
) -> None:
    assert loaded_by_widgets[module] == []


def test_the_command_line_starts_without_torch() -> None:
    if not _CLI:
        pytest.skip('there is no command line')
    assert _probe(_CLI, {'torch'})[_CLI[0]] == []


def test_the_probe_notices_what_it_looks_for() -> None:
    assert _probe(['colorsys', 'json.tool'], {'argparse'})['json.tool'] == [
        'argparse'
    ]

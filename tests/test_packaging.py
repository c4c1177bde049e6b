"""What a user installs: metadata, dependencies and the files of the wheel."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

import napari_adacs

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'src' / 'napari_adacs'
PYPROJECT = tomllib.loads((ROOT / 'pyproject.toml').read_text('utf-8'))
PROJECT: dict[str, Any] = PYPROJECT['project']
QT_BINDINGS = {'pyqt5', 'pyqt6', 'pyside2', 'pyside6'}
DATA_SUFFIXES = {'.yaml', '.svg', '.typed', '.safetensors', '.gz', '.json'}

# Modules that come with an extra and are imported only where they are used.
OF_AN_EXTRA = {
    'SimpleITK': 'simpleitk',
    'ants': 'antspyx',
    'distributed': 'distributed',
    'itk': 'itk-elastix',
    'picsl_greedy': 'picsl-greedy',
}


def _requirements() -> dict[str, Requirement]:
    parsed = [Requirement(line) for line in PROJECT['dependencies']]
    return {requirement.name.lower(): requirement for requirement in parsed}


def _pins() -> dict[str, Requirement]:
    lines = (ROOT / 'constraints.txt').read_text('utf-8').splitlines()
    pins = [Requirement(x) for x in lines if x and not x.startswith('#')]
    return {_normal(pin.name): pin for pin in pins}


def _third_party_imports() -> set[str]:
    """Top-level modules that the package imports, whenever it does."""
    found = set()
    for path in PACKAGE.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text('utf-8'))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split('.')[0])
    ours = {'napari_adacs', '_typeshed'}  # the latter is for type checkers
    return found - ours - set(sys.stdlib_module_names)


def _normal(name: str) -> str:
    return re.sub(r'[-_.]+', '-', name).lower()


@pytest.fixture(scope='module')
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel, built from this tree without a network."""
    folder = tmp_path_factory.mktemp('wheel')
    build = [sys.executable, '-m', 'build', '--wheel', '--no-isolation']
    subprocess.run(
        [*build, '--outdir', str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob('*.whl')
    return ZipFile(path)


def _metadata(wheel: ZipFile, file: str) -> str:
    version = PROJECT['version']
    return wheel.read(f'napari_adacs-{version}.dist-info/{file}').decode()


class TestMetadata:
    def test_napari_finds_the_plugin(self) -> None:
        assert 'Framework :: napari' in PROJECT['classifiers']
        entry = PROJECT['entry-points']['napari.manifest']
        assert entry == {'napari-adacs': 'napari_adacs:napari.yaml'}

    def test_no_qt_binding_and_no_bundle_in_the_base(self) -> None:
        base = _requirements()
        assert not QT_BINDINGS & set(base)
        assert not any(requirement.extras for requirement in base.values())

    def test_the_base_is_what_the_package_imports(self) -> None:
        imported = _third_party_imports()
        imported -= {*OF_AN_EXTRA, 'openvino'}
        owners = packages_distributions()
        names = {_normal(owners[top][0]) for top in imported}
        assert names == {_normal(name) for name in _requirements()}

    def test_the_extra_has_what_comparisons_import(self) -> None:
        extra = PROJECT['optional-dependencies']['benchmark']
        assert {name.lower() for name in extra} == set(OF_AN_EXTRA.values())

    def test_openvino_is_an_extra_of_its_own(self) -> None:
        (extra,) = PROJECT['optional-dependencies']['openvino']
        assert Requirement(extra).name == 'openvino'

    def test_dependencies_are_loose(self) -> None:
        for requirement in _requirements().values():
            for bound in requirement.specifier:
                assert bound.operator == '>=', str(requirement)

    def test_constraints_pin_and_fit_every_dependency(self) -> None:
        pins = _pins()
        for name, requirement in _requirements().items():
            (pin,) = pins[_normal(name)].specifier
            assert pin.operator == '=='
            assert requirement.specifier.contains(pin.version)

    def test_constraints_name_no_local_version(self) -> None:
        for pin in _pins().values():
            (bound,) = pin.specifier
            assert '+' not in bound.version

    def test_the_changelog_knows_the_version(self) -> None:
        changelog = (ROOT / 'CHANGELOG.md').read_text('utf-8')
        assert f'## {PROJECT["version"]}' in changelog


class TestWheel:
    def test_holds_every_file_of_the_package(self, wheel: ZipFile) -> None:
        names = set(wheel.namelist())
        for path in PACKAGE.rglob('*'):
            relative = path.relative_to(PACKAGE.parent).as_posix()
            if path.suffix in {'.py'} | DATA_SUFFIXES:
                assert relative in names

    def test_holds_what_napari_and_type_checkers_read(
        self, wheel: ZipFile
    ) -> None:
        names = set(wheel.namelist())
        for file in ('napari.yaml', 'py.typed', 'icon.svg'):
            assert f'napari_adacs/{file}' in names

    def test_holds_no_link_and_nothing_else(self, wheel: ZipFile) -> None:
        for member in wheel.infolist():
            assert (member.external_attr >> 16) & 0o170000 != 0o120000
            top = member.filename.split('/')[0]
            assert top.startswith('napari_adacs')

    def test_says_how_to_start(self, wheel: ZipFile) -> None:
        entries = _metadata(wheel, 'entry_points.txt')
        assert 'napari-adacs = napari_adacs:napari.yaml' in entries
        assert 'napari-adacs = napari_adacs.cli:main' in entries

    def test_carries_readme_and_licence(self, wheel: ZipFile) -> None:
        metadata = _metadata(wheel, 'METADATA')
        assert 'License-Expression: BSD-3-Clause' in metadata
        assert '## Quick start' in metadata
        assert 'BSD 3-Clause' in _metadata(wheel, 'licenses/LICENSE')


class TestPublicApi:
    @pytest.mark.parametrize('name', napari_adacs.__all__)
    def test_every_public_name_resolves(self, name: str) -> None:
        assert getattr(napari_adacs, name) is not None

    def test_dir_shows_the_public_names(self) -> None:
        assert set(napari_adacs.__all__) <= set(dir(napari_adacs))

    def test_an_unknown_name_is_an_attribute_error(self) -> None:
        with pytest.raises(AttributeError, match='no attribute .nonsense'):
            _ = napari_adacs.nonsense  # type: ignore[attr-defined]

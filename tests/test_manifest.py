"""What napari reads: the manifest, its links and the names behind it."""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files
from inspect import isclass, signature
from pathlib import Path

import pytest
import yaml
from npe2 import PluginManifest
from npe2.manifest.schema import Category

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / 'src' / 'napari_adacs' / 'napari.yaml'
RAW = yaml.safe_load(MANIFEST.read_text(encoding='utf-8'))
COMMANDS = {
    c['id']: c['python_name'] for c in RAW['contributions']['commands']
}
# napari ignores contributions to any other menu, without a word.
NAPARI_MENUS = {
    'napari/layers/register',
    'napari/layers/measure',
    'napari/layers/visualize',
    'napari/layers/transform',
    'napari/layers/data',
    'napari/file/io_utilities',
}


@pytest.fixture(scope='module')
def manifest() -> PluginManifest:
    """The manifest as npe2 understands it."""
    return PluginManifest.from_file(MANIFEST)


def _resolve(python_name: str) -> object:
    module, _, name = python_name.partition(':')
    return getattr(import_module(module), name)


def test_npe2_accepts_the_manifest(manifest: PluginManifest) -> None:
    assert manifest.name == 'napari-adacs'
    assert manifest.display_name == 'AdaCS registration'
    assert Category.Registration in manifest.categories


@pytest.mark.parametrize('name', ['napari.yaml', 'sample_data'])
def test_the_top_level_shows_what_the_package_holds(name: str) -> None:
    link = ROOT / name
    assert link.is_symlink()
    assert link.resolve() == (MANIFEST.parent / name).resolve()


def test_the_icon_is_in_the_package(manifest: PluginManifest) -> None:
    package, _, resource = str(manifest.icon).partition(':')
    assert files(package).joinpath(resource).is_file()


@pytest.mark.parametrize('command', COMMANDS)
def test_every_command_resolves(command: str) -> None:
    assert callable(_resolve(COMMANDS[command]))


def test_every_contribution_uses_a_declared_command() -> None:
    contributions = RAW['contributions']
    used = {
        item['command']
        for kind in ('widgets', 'readers', 'writers', 'sample_data')
        for item in contributions[kind]
    }
    for items in contributions['menus'].values():
        used |= {item['command'] for item in items}
    assert used == set(COMMANDS)


def test_widgets_are_classes_that_take_the_viewer() -> None:
    widgets = [w['command'] for w in RAW['contributions']['widgets']]
    for command in widgets:
        widget = _resolve(COMMANDS[command])
        assert isclass(widget)
        # the only parameter name that napari fills without an annotation
        assert 'napari_viewer' in signature(widget).parameters


def test_widgets_use_no_key_that_older_npe2_refuses() -> None:
    for widget in RAW['contributions']['widgets']:
        assert set(widget) <= {'command', 'display_name', 'autogenerate'}


def test_menus_are_ones_napari_shows() -> None:
    menus = RAW['contributions']['menus']
    assert set(menus) <= NAPARI_MENUS
    entries = [item['command'] for item in menus['napari/layers/register']]
    assert 'napari-adacs.register_dock' in entries


def test_settings_have_defaults_of_their_type(
    manifest: PluginManifest,
) -> None:
    settings = manifest.contributions.configurations
    assert settings is not None
    properties = settings['compute'].properties
    assert set(properties) == {
        'device',
        'memory_cap_gb',
        'threads',
        'backend',
        'model_folder',
    }
    for item in properties.values():
        assert isinstance(item.default, item.python_type)


def test_nifti_opens_and_saves(manifest: PluginManifest) -> None:
    (reader,) = manifest.contributions.readers or ()
    assert reader.filename_patterns == ['*.nii', '*.nii.gz']
    assert not reader.accepts_directories
    for writer in manifest.contributions.writers or ():
        assert set(writer.filename_extensions) == {'.nii', '.nii.gz'}

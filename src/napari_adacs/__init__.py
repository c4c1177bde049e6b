"""Deformable registration of cardiac images, in napari and without it.

Importing this package costs nothing: torch, napari and Qt are loaded by the
call that needs them. Displacements follow the pull-back convention
everywhere, ``warped(x) = moving(x + u(x))``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_adacs.errors import AdacsError as AdacsError
    from napari_adacs.evaluation.calibration import calibration as calibration
    from napari_adacs.evaluation.calibration import (
        endpoint_error as endpoint_error,
    )
    from napari_adacs.evaluation.calibration import (
        map_correlation as map_correlation,
    )
    from napari_adacs.evaluation.ejection import (
        ejection_fraction as ejection_fraction,
    )
    from napari_adacs.evaluation.landmarks import (
        target_registration_error as target_registration_error,
    )
    from napari_adacs.evaluation.report import evaluate as evaluate
    from napari_adacs.evaluation.sparsification import (
        sparsification as sparsification,
    )
    from napari_adacs.evaluation.surface import (
        surface_distances as surface_distances,
    )
    from napari_adacs.models.library import list_models as list_models
    from napari_adacs.models.library import load_model as load_model
    from napari_adacs.registration.config import RunConfig as RunConfig
    from napari_adacs.registration.register import register as register
    from napari_adacs.registration.result import (
        RegistrationResult as RegistrationResult,
    )
    from napari_adacs.spatial.field import (
        DisplacementField as DisplacementField,
    )
    from napari_adacs.spatial.grid import Grid as Grid
    from napari_adacs.training.train import train as train

    __version__: str

_HOME_OF = {
    'AdacsError': 'errors',
    'DisplacementField': 'spatial.field',
    'Grid': 'spatial.grid',
    'RegistrationResult': 'registration.result',
    'RunConfig': 'registration.config',
    'calibration': 'evaluation.calibration',
    'ejection_fraction': 'evaluation.ejection',
    'endpoint_error': 'evaluation.calibration',
    'evaluate': 'evaluation.report',
    'list_models': 'models.library',
    'load_model': 'models.library',
    'map_correlation': 'evaluation.calibration',
    'register': 'registration.register',
    'sparsification': 'evaluation.sparsification',
    'surface_distances': 'evaluation.surface',
    'target_registration_error': 'evaluation.landmarks',
    'train': 'training.train',
}

__all__ = [
    'AdacsError',
    'DisplacementField',
    'Grid',
    'RegistrationResult',
    'RunConfig',
    '__version__',
    'calibration',
    'ejection_fraction',
    'endpoint_error',
    'evaluate',
    'list_models',
    'load_model',
    'map_correlation',
    'register',
    'sparsification',
    'surface_distances',
    'target_registration_error',
    'train',
]


def _installed_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version('napari-adacs')
    except PackageNotFoundError:  # the source tree on the path, uninstalled
        return '0+unknown'


def __getattr__(name: str) -> object:
    if name == '__version__':
        value: object = _installed_version()
    elif name in _HOME_OF:
        module = import_module(f'{__name__}.{_HOME_OF[name]}')
        value = getattr(module, name)
    else:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

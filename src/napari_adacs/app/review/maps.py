"""Maps of a result, to be laid over the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.layer_specs import Role
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.review.lazy import Key, LazyArray

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.session import Run
    from napari_adacs.registration.result import RegistrationResult

Limits = tuple[float, float]
Side = Literal['below', 'above']
_SAMPLE = 200_000


@dataclass(frozen=True)
class MapKind:
    """A kind of map, and how it is seen.

    Parameters
    ----------
    name, title, tooltip : str
        Key, and texts for people.
    unit : str
        What its numbers are.
    colormap : str
        Colours that colour-blind people can tell apart.
    suspect : {'below', 'above'}
        On which side of a threshold to look twice.
    clear_at : float, optional
        Value that says nothing and leaves the image in sight.
    """

    name: str
    title: str
    tooltip: str
    unit: str
    colormap: str
    suspect: Side
    clear_at: float | None = None

    @property
    def noun(self) -> str:
        """What a sentence calls it."""
        proper = self.name == 'jacobian'
        return 'Jacobian determinant' if proper else self.title.lower()


MAPS: dict[str, MapKind] = {
    kind.name: kind
    for kind in (
        MapKind(
            'score',
            'Score',
            'Correspondence score of the model: low where it does not trust '
            'the match.',
            'score, 0 to 1',
            'viridis',
            'below',
        ),
        MapKind(
            'weight',
            'Weight',
            'How much each place counted in the weighting scheme.',
            'weight',
            'viridis',
            'below',
        ),
        MapKind(
            'variance',
            'Variance',
            'Variance that the model expects of the residual.',
            'variance of scaled intensities',
            'magma',
            'above',
        ),
        MapKind(
            'displacement_sd',
            'Displacement SD',
            'Standard deviation that the model expects of its displacement.',
            'standard deviation along an axis, mm or voxels',
            'magma',
            'above',
        ),
        MapKind(
            'residual',
            'Residual',
            'What differs after registration, both images scaled to 0 to 1.',
            '|fixed − warped|, scaled intensities',
            'magma',
            'above',
        ),
        MapKind(
            'jacobian',
            'Jacobian',
            'Volume in the moving image per volume in the fixed one: 1 keeps '
            'volume, 0 or less folds.',
            'volume ratio',
            'PuOr',
            'below',
            1.0,
        ),
    )
}


@dataclass(frozen=True, eq=False)
class ResultMap:
    """A map of one result.

    Parameters
    ----------
    kind : MapKind
        What it is.
    data : (*fixed.shape) array_like
        Its values; shared with the result, or computed slice by slice.
    limits : tuple of float
        Values of the ends of the colours.
    threshold : float
        Where to begin to look twice.
    """

    kind: MapKind
    data: Any
    limits: Limits
    threshold: float


class LazyJacobian(LazyArray):
    """Jacobian determinant of a displacement, slice by slice.

    Parameters
    ----------
    voxels : (ndim, *shape) numpy.ndarray of float32
        Displacement in voxels.
    """

    def __init__(self, voxels: NDArray[np.float32]) -> None:
        super().__init__(voxels.shape[1:])
        self._voxels = voxels

    def compose(self, key: Key) -> NDArray[Any]:
        """Differentiate a part, with the neighbours that this needs."""
        from napari_adacs.spatial.jacobian import jacobian_determinant

        wanted = [
            np.atleast_1d(np.arange(size)[part])
            for part, size in zip(key, self.shape, strict=True)
        ]
        if not all(index.size for index in wanted):
            return np.zeros(self.shape, self.dtype)[key]
        starts = [max(int(index.min()) - 1, 0) for index in wanted]
        block = tuple(
            slice(start, int(index.max()) + 2)
            for start, index in zip(starts, wanted, strict=True)
        )
        determinant = jacobian_determinant(
            np.ascontiguousarray(self._voxels[(slice(None), *block)])
        )
        inner = np.ix_(
            *(i - start for i, start in zip(wanted, starts, strict=True))
        )
        cut = tuple(0 if isinstance(p, int) else slice(None) for p in key)
        found: NDArray[Any] = np.asarray(determinant[inner][cut])
        return found


def map_names(result: RegistrationResult) -> list[str]:
    """Return the maps that a result has."""
    return [
        name
        for name in MAPS
        if name == 'jacobian' or getattr(result, name) is not None
    ]


def map_of(viewer: ViewerModel, run: Run, name: str) -> ResultMap:
    """Return a map of a registration.

    Parameters
    ----------
    viewer : ViewerModel
        Where its layers are: the determinant is taken from there if it is
        shown, and computed slice by slice otherwise.
    run : Run
        The registration.
    name : str
        One of `map_names`.
    """
    kind = MAPS[name]
    if name == 'jacobian':
        layer = ResultGroup(viewer, run.group_id).layers().get(Role.JACOBIAN)
        voxels = run.result.field.voxels
        data = LazyJacobian(voxels) if layer is None else layer.data
        return ResultMap(kind, data, (0.0, 2.0), 0.5)
    data = getattr(run.result, name)
    sample = _sample(data)
    limits, threshold = _RANGES[kind.suspect](sample)
    return ResultMap(kind, data, limits, threshold)


def _trust_range(sample: NDArray[Any]) -> tuple[Limits, float]:
    """Return limits for maps that are near their top almost everywhere."""
    low, some, high = np.percentile(sample, (0.5, 5, 99.9))
    high = max(float(high), 1.0)
    low = min(max(float(np.floor(low * 20)) / 20, 0.0), high - 0.05)
    return (low, high), float(np.clip(some, low, high))


def _error_range(sample: NDArray[Any]) -> tuple[Limits, float]:
    some, high = np.percentile(sample, (95, 99.5))
    return (0.0, max(float(high), 1e-6)), float(some)


_RANGES: dict[Side, Callable[[NDArray[Any]], tuple[Limits, float]]] = {
    'below': _trust_range,
    'above': _error_range,
}


def _sample(data: NDArray[Any]) -> NDArray[Any]:
    """Return some of many values, evenly spread."""
    step = max(1, round((data.size / _SAMPLE) ** (1 / data.ndim)))
    return data[(slice(None, None, step),) * data.ndim]

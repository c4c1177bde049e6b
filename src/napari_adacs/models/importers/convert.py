"""From recognised checkpoints to a model of ours."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_adacs.errors import ModelError
from napari_adacs.models.header import ModelHeader, Preprocessing
from napari_adacs.models.importers.contents import check_budget
from napari_adacs.models.importers.found import Found
from napari_adacs.models.importers.registry import inspect_checkpoint
from napari_adacs.models.importers.strangers import short

if TYPE_CHECKING:
    from torch import nn

    from napari_adacs.models.model import Model

_SCHEMES = {'scoring': 'adacs', 'variance': 'heteroscedastic'}
_MOST_NAMED = 6


@dataclass(frozen=True)
class Told:
    """What a person says about a checkpoint that the file does not.

    Parameters
    ----------
    name : str
        Name of the model; otherwise made from the name of the file.
    preprocessing : Preprocessing, optional
        How images become its input; otherwise as `usual_preprocessing`.
    options : mapping
        Options of the network that the file does not say or says wrongly,
        such as ``{'int_steps': 0}``.
    title, domain, licence : str
        For people; see `ModelHeader`.
    """

    name: str = ''
    preprocessing: Preprocessing | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    title: str = ''
    domain: str = ''
    licence: str = ''


def import_checkpoint(*paths: str | Path, told: Told | None = None) -> Model:
    """Make a model of a public checkpoint.

    Parameters
    ----------
    *paths : str or Path
        The file of a displacement network, and those of its scoring and
        variance estimators if there are any, in any order.
    told : Told, optional
        What the files do not say.

    Returns
    -------
    Model
        In memory; `save_bundle` makes it a file.

    Raises
    ------
    ModelError
        If a file is damaged, hostile, unknown, or does not fit its network
        or the others.
    """
    found = _recognised(paths, told or Told())
    header = _header(found, told or Told())
    origins = [_origin(one) for one in found.values()]
    header = replace(header, training={'imported from': origins})
    return _filled(header, found)


def checkpoint_header(
    *paths: str | Path, told: Told | None = None
) -> ModelHeader:
    """Return the description that `import_checkpoint` would give.

    Neither weights nor torch are loaded. Parameters and errors as there.
    """
    told = told or Told()
    return _header(_recognised(paths, told), told)


def _recognised(paths: Sequence[str | Path], told: Told) -> dict[str, Found]:
    found = by_role([inspect_checkpoint(path) for path in paths])
    main = found['displacement']
    return {**found, 'displacement': main.with_options(told.options)}


def _header(found: Mapping[str, Found], told: Told) -> ModelHeader:
    main = found['displacement']
    _check_told(told, main.ndim)
    extras = {role: f for role, f in found.items() if role != 'displacement'}
    return ModelHeader(
        name=told.name or plain_name(main.contents.path),
        ndim=main.ndim,
        network=main.network,
        network_options=dict(main.options),
        scheme=next((_SCHEMES[role] for role in extras), 'vanilla'),
        auxiliaries={role: dict(f.options) for role, f in extras.items()},
        preprocessing=told.preprocessing or usual_preprocessing(main),
        title=told.title or f'{main.title}, imported',
        description=' '.join(
            line for f in found.values() for line in f.sentences()
        ),
        domain=told.domain,
        licence=told.licence,
        date=datetime.date.today().isoformat(),
    )


def _check_told(told: Told, ndim: int) -> None:
    if told.name and not re.fullmatch(r'\w[\w.+-]*', told.name):
        raise ModelError(
            f"'{told.name}' is no name for a model.",
            'Use letters, digits, dots and hyphens.',
        )
    shape = told.preprocessing.shape if told.preprocessing else ()
    if shape and (len(shape) != ndim or min(shape) < 2):
        raise ModelError(
            f'The network grid of a {ndim}D model is {ndim} numbers above 1, '
            f'not {" ".join(map(str, shape))}.',
            f'Give {ndim} numbers.',
        )


def usual_preprocessing(found: Found) -> Preprocessing:
    """Return how images become input of a network without its own rule.

    All these networks are convolutional: they get the voxels of the fixed
    image, with voxels added at the end of each axis up to a size they can
    halve, intensities in [0, 1], and axes in the order of the image files
    they were trained on. Only images with far more voxels than those of the
    training are resampled to their grid.
    """
    if found.trained_shape:
        return Preprocessing('fit', found.trained_shape, 'file')
    return Preprocessing('pad', orientation='file')


def plain_name(path: Path) -> str:
    """Return a name for a model from that of its file."""
    stem = path.name.split('.')[0]
    plain = re.sub(r'[^a-z0-9]+', '-', stem.lower()).strip('-')
    return plain or 'imported'


def by_role(found: Sequence[Found]) -> dict[str, Found]:
    """Sort networks by what they are for; they must make one model.

    Raises
    ------
    ModelError
        If there is no displacement network, two of a kind, or one for other
        images.
    """
    sorted_out: dict[str, Found] = {}
    for one in found:
        if one.role in sorted_out:
            raise ModelError(
                f"'{one.contents.path.name}' and "
                f"'{sorted_out[one.role].contents.path.name}' are both "
                f'{one.role} networks.',
                'Choose one displacement network, with at most one scoring '
                'and one variance estimator.',
            )
        sorted_out[one.role] = one
    if 'displacement' not in sorted_out:
        first = found[0]
        raise ModelError(
            f"'{first.contents.path.name}' is the {first.role} estimator of "
            f'{first.title}; it estimates no displacement.',
            'Choose it together with the displacement network it was trained '
            'with.',
        )
    if len({one.ndim for one in found}) > 1:
        raise ModelError(
            'The files are of networks for 2D and for 3D images.',
            'Choose files that were trained together.',
        )
    return sorted_out


def _filled(header: ModelHeader, found: Mapping[str, Found]) -> Model:
    """Build the networks and give them the weights."""
    from napari_adacs.models.model import build_model

    for one in found.values():
        check_budget(one.contents.path, 8 * one.parameters)
    try:
        model = build_model(header)
    except ModelError:
        raise  # it is a ValueError too
    except (RuntimeError, ValueError, LookupError, ArithmeticError) as error:
        raise _misfit(
            found['displacement'], 'no network can be built like that'
        ) from error
    for role, module in model.modules().items():
        _fill(module, found[role])
        module.eval()
    return model


def _fill(module: nn.Module, found: Found) -> None:
    import torch

    target = module.state_dict()
    _check_names(found, target, dict(module.named_parameters()))
    values = {}
    for ours, source in found.sources.items():
        read = found.contents.entries[source.entry].load()
        if source.change is not None:
            read = source.change(read)
        if read.dtype.kind == 'f' and not np.isfinite(read).all():
            raise ModelError(
                f"'{found.contents.path.name}' holds NaN or infinite weights "
                f"in '{source.entry}'.",
                'Its training failed, or the file is damaged.',
            )
        values[ours] = torch.from_numpy(np.array(read)).to(target[ours].dtype)
    _check_shapes(found, values, target)
    module.load_state_dict(values, strict=False)


def _check_names(
    found: Found, target: Mapping[str, Any], parameters: Mapping[str, Any]
) -> None:
    """Refuse weights that are missing or that nothing would use."""
    missing = [name for name in parameters if name not in found.sources]
    unused = [
        source.entry
        for name, source in found.sources.items()
        if name not in target
    ]
    reasons = []
    if missing:
        reasons.append(f'{_listed(missing)} missing from it')
    if unused:
        reasons.append(f'{_listed(unused)} unknown to that network')
    if reasons:
        raise _misfit(found, ', and '.join(reasons))


def _check_shapes(
    found: Found, values: Mapping[str, Any], target: Mapping[str, Any]
) -> None:
    for name, value in values.items():
        if value.shape != target[name].shape:
            has, needs = (
                ' x '.join(map(str, t.shape)) for t in (value, target[name])
            )
            raise _misfit(
                found,
                f"'{short(found.sources[name].entry)}' is {has} where the "
                f'network needs {needs}',
            )


def _misfit(found: Found, reason: str) -> ModelError:
    return ModelError(
        f"The weights in '{found.contents.path.name}' do not fit the "
        f'{found.title} network ({found.ndim}D) that they look like: '
        f'{reason}.',
        'docs/checkpoints.md lists what can be opened.',
    )


def _listed(names: Sequence[str]) -> str:
    shown = ', '.join(f"'{short(name)}'" for name in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    verb = 'is' if len(names) == 1 else 'are'
    return f'{shown}{f" and {more} more" if more > 0 else ""} {verb}'


def _origin(found: Found) -> str:
    digest = hashlib.sha256()
    with found.contents.path.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return f'{found.contents.path.name}, sha256 {digest.hexdigest()}'

"""Models that can be downloaded, as data; nothing here touches the network.

To offer a model, add an entry. Its files are checkpoints of any format that
`models.importers` opens, or one bundle of ours.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from napari_adacs.errors import ModelError
from napari_adacs.models.header import Preprocessing

_HETERO = 'Voldemort108X/hetero_uncertainty'


@dataclass(frozen=True)
class RemoteModel:
    """A model on the Hugging Face hub.

    Parameters
    ----------
    name : str
        What it is called here.
    repository : str
        'owner/name' on the hub.
    files : tuple of str
        Its files: the displacement network and its estimators.
    title, domain, licence : str
        For people.
    ndim : int or None
        Number of spatial axes; None if only the file tells.
    scheme : str
        Weighting it was trained with.
    preprocessing : Preprocessing or None
        How images become its input, where the files cannot say.
    revision : str
        Branch, tag or commit.
    """

    name: str
    repository: str
    files: tuple[str, ...]
    title: str = ''
    domain: str = ''
    licence: str = ''
    ndim: int | None = None
    scheme: str = ''
    preprocessing: Preprocessing | None = None
    revision: str = 'main'


def _heteroscedastic(
    network: str, data: str, domain: str, preprocessing: Preprocessing
) -> RemoteModel:
    """Return an entry of the authors of the heteroscedastic framework."""
    short = {'VoxelMorph': 'vxm', 'TransMorph': 'tsm'}[network]
    return RemoteModel(
        name=f'{network}-heteroscedastic-{data}'.lower(),
        repository=_HETERO,
        files=tuple(
            f'{short}_{data}_{kind}.pt' for kind in ('motion', 'variance')
        ),
        title=f'{network}, heteroscedastic, {data} (MICCAI 2024)',
        domain=domain,
        licence='none stated',
        ndim=2,
        scheme='heteroscedastic',
        preprocessing=preprocessing,
    )


# The authors' preparation: ACDC slices keep their voxels, in (x, y) order;
# CAMUS images are resized, with the beam along the second axis.
_ACDC = ('ACDC', '2D cine MR', Preprocessing('pad', (), 'file'))
_CAMUS = ('CAMUS', '2D echo', Preprocessing('resize', (128, 128), 'beam'))

REMOTE: tuple[RemoteModel, ...] = tuple(
    _heteroscedastic(network, *data)
    for network in ('VoxelMorph', 'TransMorph')
    for data in (_ACDC, _CAMUS)
)


def remote_models(ndim: int | None = None) -> list[RemoteModel]:
    """List the models that can be downloaded.

    Parameters
    ----------
    ndim : int, optional
        Only models for this number of axes.
    """
    return [m for m in REMOTE if ndim is None or m.ndim in (None, ndim)]


def find_remote(name: str) -> RemoteModel:
    """Find a model by its name, or by 'owner/repository/file' on the hub.

    Raises
    ------
    ModelError
        If there is none.
    """
    for model in REMOTE:
        if model.name == name:
            return model
    parts = name.split('/')
    if len(parts) > 2 and all(p.strip('.') for p in parts):
        repository, file = '/'.join(parts[:2]), '/'.join(parts[2:])
        return RemoteModel('', repository, (file,))
    names = [model.name for model in REMOTE]
    close = difflib.get_close_matches(name, names, 1)
    raise ModelError(
        f"There is no model called '{name}' to download.",
        f"Did you mean '{close[0]}'?"
        if close
        else f'Known: {", ".join(names)}; or OWNER/REPOSITORY/FILE.',
    )

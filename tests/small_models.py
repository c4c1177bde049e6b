"""Tiny models with made-up weights, for tests that only need some model."""

from __future__ import annotations

from pathlib import Path

import torch

from napari_adacs.models.bundle import save_bundle
from napari_adacs.models.header import ModelHeader, Preprocessing
from napari_adacs.models.model import Model, build_model

SMALL = {'encoder': [4, 8], 'decoder': [8, 8, 4]}


def small_model(
    ndim: int = 2,
    *,
    scheme: str = 'adacs',
    auxiliaries: tuple[str, ...] = ('scoring', 'variance'),
    grid: str = 'resize',
    orientation: str = 'array',
    shape: tuple[int, ...] | None = None,
    flow: float = 0.1,
    name: str = '',
    domain: str = '',
    preference: int = 0,
) -> Model:
    """Build a model whose field is smooth, non-zero and reproducible."""
    torch.manual_seed(0)
    side = {2: (32, 32), 3: (16, 16, 16)}[ndim]
    model = build_model(
        ModelHeader(
            name=name or f'small-{ndim}d',
            ndim=ndim,
            network='voxelmorph',
            network_options=SMALL,
            scheme=scheme,
            auxiliaries=dict.fromkeys(auxiliaries, SMALL),
            preprocessing=Preprocessing(
                grid, side if shape is None else shape, orientation
            ),
            licence='BSD-3-Clause',
            domain=domain,
            preference=preference,
        )
    )
    with torch.no_grad():
        model.displacement.flow.weight.normal_(0, flow)
        model.displacement.flow.bias.fill_(0.8)
    for module in model.modules().values():
        module.eval()
    return model


def save_small_model(folder: Path, ndim: int = 2, **options: object) -> Path:
    """Save a small model as a bundle and return its path."""
    model = small_model(ndim, **options)
    path = folder / f'{model.header.name}.safetensors'
    save_bundle(path, model)
    return path


def small_diffusemorph(ndim: int = 2, **options: object) -> Model:
    """Build a DiffuseMorph whose field depends on its score."""
    torch.manual_seed(0)
    side = {2: (32, 32), 3: (16, 16, 16)}[ndim]
    model = build_model(
        ModelHeader(
            name=f'small-diffusemorph-{ndim}d',
            ndim=ndim,
            network='diffusemorph',
            network_options={
                'features': {2: 32, 3: 8}[ndim],
                'multipliers': [1, 1],
                'encoder': [4, 4, 4, 4, 4],
                'decoder': [4, 4, 4, 4, 4],
                **options,
            },
            scheme='adacs',
            auxiliaries={'scoring': SMALL},
            preprocessing=Preprocessing('resize', side, 'array'),
            licence='BSD-3-Clause',
        )
    )
    with torch.no_grad():
        for parameter in model.displacement.field_fn.parameters():
            parameter.normal_(0, 0.2)
    for module in model.modules().values():
        module.eval()
    return model


def save_small_diffusemorph(folder: Path, ndim: int = 2) -> Path:
    """Save a small DiffuseMorph as a bundle and return its path."""
    path = folder / f'small-diffusemorph-{ndim}d.safetensors'
    save_bundle(path, small_diffusemorph(ndim))
    return path


def small_pyramid(ndim: int = 2, **options: object) -> Model:
    """Build a pyramid whose levels all move something."""
    torch.manual_seed(0)
    side = {2: (32, 32), 3: (16, 16, 16)}[ndim]
    model = build_model(
        ModelHeader(
            name=f'small-pyramid-{ndim}d',
            ndim=ndim,
            network='pyramid',
            network_options={'channels': 4, 'levels': 3, **options},
            scheme='adacs',
            auxiliaries={'scoring': SMALL},
            preprocessing=Preprocessing('resize', side, 'array'),
            licence='BSD-3-Clause',
        )
    )
    with torch.no_grad():
        for estimator in model.displacement.estimators:
            estimator.flow.weight.normal_(0, 0.3)
    for module in model.modules().values():
        module.eval()
    return model

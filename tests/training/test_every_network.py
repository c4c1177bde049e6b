"""Every architecture trains under every weighting scheme, 2D and 3D."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.models.model import companion_schemes
from napari_adacs.networks.registry import DISPLACEMENT
from napari_adacs.spatial.operators import warp
from napari_adacs.training.batch import Batch
from napari_adacs.training.step import Active, compute_losses
from napari_adacs.training.train import new_model
from napari_adacs.weighting.base import SchemeState
from napari_adacs.weighting.registry import SCHEMES
from tests.training.conftest import SMALL, disc, make_config

UNET = {'encoder': [4, 8], 'decoder': [8, 8, 4], 'int_downsize': 1}
NETWORKS = {
    'voxelmorph': UNET,
    'voxelmorph-diff': {**UNET, 'unet_half_res': False},
    'voxelmorph-sigma': UNET,
    'pyramid': {'channels': 2, 'levels': 3, 'int_downsize': 1},
    'transmorph': {
        'dim': 4,
        'depths': (1, 2, 1, 1),
        'heads': (1, 1, 1, 1),
        'drop_path': 0.0,
    },
    'diffusemorph': {
        'multipliers': (1, 2),
        'image_size': 32,
        'attention_sizes': (16,),
        'encoder': (4, 8, 8, 8, 8),
        'decoder': (8, 8, 8, 4, 4),
        # As published it learns nothing in so few steps on some processors.
        'drawn_steps': 40,
        'field_init': 'he',
    },
    'voxelmorph2018': {
        'encoder': [4, 8],
        'decoder': [[8], [8]],
        'tail': [4],
    },
    'vxm-pairwise': {'encoder': [4, 8], 'decoder': [8, 4]},
}
SIDE = {
    'transmorph': 32,
    'diffusemorph': 16,
}
# Variants of VoxelMorph, which meet a scheme in the same way.
VARIANTS = (
    'voxelmorph-diff',
    'voxelmorph-sigma',
    'voxelmorph2018',
    'vxm-pairwise',
)
CASES = [
    (network, scheme)
    for network in sorted(NETWORKS)
    for scheme in SCHEMES
    if network not in VARIANTS or scheme in ('vanilla', 'nll', 'adacs')
]
# A random step of the diffusion makes every loss noisy.
STEPS = {
    'diffusemorph': 20,
    'pyramid': 20,
    'transmorph': 5,
    'voxelmorph': 10,
    'voxelmorph-diff': 20,
    'voxelmorph-sigma': 20,
    'voxelmorph2018': 60,
    'vxm-pairwise': 10,
}
# Where the variance shares the loss, its first steps are rough.
JOINT_STEPS = dict.fromkeys(('voxelmorph', *VARIANTS), 60)
RATES = {'diffusemorph': 5e-3, 'transmorph': 5e-3}
# They start from next to nothing.
EXTRA = {
    ('diffusemorph', 2): 60,
    ('voxelmorph2018', 2): 150,
    ('voxelmorph2018', 3): 150,
    ('vxm-pairwise', 2): 150,
    ('vxm-pairwise', 3): 150,
}
BOTH = Active(displacement=True, auxiliary=True)


def options(network: str, ndim: int) -> dict[str, object]:
    extra: dict[str, object] = {}
    if network == 'transmorph':
        extra = {'window': (2,) * ndim}
    elif network == 'diffusemorph':
        extra = {'features': {2: 32, 3: 8}[ndim], 'noise_weight': 0.02}
    return {**NETWORKS[network], **extra}


def discs(shape: tuple[int, ...]) -> Batch:
    """Return two pairs of discs or balls."""
    middle = torch.tensor(shape).numpy() / 2 - 0.5
    size = shape[0] / 16
    images = [
        torch.from_numpy(disc(shape, middle + shift, radius * size))[None]
        for shift, radius in ((0, 5), (1, 3.5), (-1, 4), (0, 5))
    ]
    moving, fixed = torch.stack(images[::2]), torch.stack(images[1::2])
    empty = torch.zeros(len(moving), 0, *shape)
    return Batch(moving, fixed, empty, empty)


class Run:
    """A model, what it is trained with, and the same noise every time."""

    def __init__(self, config, batch: Batch) -> None:
        torch.manual_seed(0)
        self.config, self.batch = config, batch
        self.model = new_model(config)
        self.companions = companion_schemes(self.model)
        self.state = SchemeState()
        self.parameters = {
            f'{role}.{name}': parameter
            for role, module in self.model.modules().items()
            for name, parameter in module.named_parameters()
        }
        self.optimiser = torch.optim.Adam(
            self.parameters.values(), lr=RATES.get(config.network.name, 2e-3)
        )
        self.reached: set[str] = set()

    def losses(self):
        return compute_losses(
            self.batch,
            self.model,
            self.companions,
            self.config,
            self.state,
            BOTH,
        )

    def objective(self) -> float:
        torch.manual_seed(1)
        terms = self.losses().displacement
        return torch.stack(list(terms.values())).sum().item()

    def error(self) -> float:
        batch = self.batch
        with torch.no_grad():
            motion = self.model.displacement(batch.moving, batch.fixed)
            warped = warp(batch.moving, motion.displacement)
        return float((warped - batch.fixed).square().mean())

    def step(self) -> None:
        losses = self.losses()
        terms = [*losses.displacement.values(), *losses.auxiliary.values()]
        self.optimiser.zero_grad()
        torch.stack(terms).sum().backward()
        self.reached |= {
            name
            for name, parameter in self.parameters.items()
            if parameter.grad is not None and bool(parameter.grad.any())
        }
        self.optimiser.step()


def test_every_network_is_listed():
    # Without parameters there is nothing to train.
    assert set(NETWORKS) == set(DISPLACEMENT) - {'identity'}


@pytest.mark.parametrize('ndim', [2, 3])
@pytest.mark.parametrize(('network', 'scheme'), CASES)
def test_all_parameters_learn_and_the_error_falls(network, scheme, ndim):
    side = SIDE.get(network, 16)
    # Not a valid size for any of them.
    shape = (side, *[side - 1] * (ndim - 1))
    config = make_config(
        shape=shape,
        network={'name': network, 'options': options(network, ndim)},
        scheme={'name': scheme, 'auxiliary_options': SMALL},
        smoothness={'weight': 0.001},
    )
    run = Run(config, discs(shape))
    objective, error = run.objective(), run.error()
    steps = STEPS if not SCHEMES[scheme].joint else {**STEPS, **JOINT_STEPS}
    for _ in range(steps[network]):
        run.step()
    assert set(run.parameters) - run.reached == set()
    assert run.objective() < objective
    if scheme == 'vanilla':
        for _ in range(EXTRA.get((network, ndim), 0)):
            run.step()
        assert run.error() < 0.9 * error

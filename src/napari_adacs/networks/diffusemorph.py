"""DiffuseMorph displacement estimator, 2D and 3D.

A score network estimates the noise in a noisy fixed image from the clean
pair; a field network turns the moving image and that score into the
displacement. Names of modules and of the schedule's tables equal those of
the authors' code, so that its state dicts load.

References
----------
Kim et al., "DiffuseMorph: Unsupervised Deformable Image Registration Using
Diffusion Model", ECCV 2022.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from napari_adacs.errors import ModelError
from napari_adacs.networks.base import Motion, Terms
from napari_adacs.networks.diffusemorph_config import CONFIGS
from napari_adacs.networks.diffusion_unet import ScoreUNet
from napari_adacs.networks.field_unet import FieldUNet
from napari_adacs.networks.integrated import IntegratedEstimator
from napari_adacs.networks.noise_schedule import linear_betas, schedule
from napari_adacs.networks.options import changed
from napari_adacs.objectives.noise import noise_loss

FieldInit = Literal['published', 'he']

_FIELD_INIT_SD = 0.02
_SLOPE = 0.2  # of the field network's LeakyReLU


class DiffuseMorph(IntegratedEstimator):
    """Diffusion score, then displacement.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    eta : float, default: 1.0
        Scale of the score in the field network's input.
    input_range : (float, float), default: (0, 1)
        What the networks' images span. Networks of the authors were trained
        with (-1, 1), those of AdaCS with (0, 1).
    noise_weight : float, default: 0.05
        Weight of the score network's own loss beside a data term of weight
        1. Published networks weight the data term by 20 beside a noise loss
        of weight 1 (3D, and AdaCS), or by 2 (2D): 0.05 or 0.5 here.
    int_steps : int, default: 0
        Squarings of the integration. 0, as published, makes the output the
        displacement itself; more take it for a stationary velocity, which
        makes the map invertible.
    int_downsize : int, default: 2
        Factor by which the velocity is shrunk before integration; ignored
        without integration.
    drawn_steps : int, default: 0
        How many steps of the schedule training draws from, those of the
        least noise; 0 for all, as published. A field network learns little
        from scores that are mostly noise: with few steps it begins within
        a hundred updates.
    field_init : {'published', 'he'}, default: 'published'
        Random weights of the field network at the start: normal, with a
        deviation of 0.02, or so that no layer shrinks what it gets [1]_.
    **changes
        Fields of `DiffuseMorphConfig` that differ from the published ones.

    Attributes
    ----------
    eta : float
        May be changed at any time; values below 1 give motions between,
        though 0 is not the identity.

    Notes
    -----
    Inside, every axis is a multiple of 16.

    References
    ----------
    .. [1] He et al., "Delving Deep into Rectifiers", ICCV 2015.
    """

    def __init__(
        self,
        ndim: int,
        eta: float = 1.0,
        input_range: Sequence[float] = (0.0, 1.0),
        noise_weight: float = 0.05,
        int_steps: int = 0,
        int_downsize: int = 2,
        drawn_steps: int = 0,
        field_init: FieldInit = 'published',
        **changes: Any,
    ) -> None:
        super().__init__(ndim, int_steps, int_downsize)
        self.eta = eta
        self.low, self.high = input_range
        self.noise_weight = noise_weight
        self.config = config = changed(CONFIGS[ndim], changes)
        self.denoise_fn = ScoreUNet(
            ndim, config.features, config.multipliers, config.attention()
        )
        self.field_fn = FieldUNet(ndim, config.encoder, config.decoder)
        self.size_multiple = math.lcm(
            self.denoise_fn.size_multiple,
            self.field_fn.size_multiple,
            self.int_downsize,
        )
        for name, table in schedule(linear_betas(config.steps)).items():
            self.register_buffer(name, table.float())
        self.drawn_steps = _checked(drawn_steps, config.steps, field_init)
        self._initialise(field_init)

    def _initialise(self, field_init: FieldInit) -> None:
        for name, parameter in self.named_parameters():
            if name.endswith('bias'):
                nn.init.zeros_(parameter)
            elif parameter.ndim > 1 and name.startswith('denoise_fn'):
                nn.init.orthogonal_(parameter)
            elif parameter.ndim > 1:
                # The last layer stays small: the motion starts at about zero.
                if field_init == 'he' and 'outconv' not in name:
                    nn.init.kaiming_normal_(parameter, _SLOPE)
                else:
                    nn.init.normal_(parameter, 0.0, _FIELD_INIT_SD)

    def estimate(self, moving: Tensor, fixed: Tensor, inverse: bool) -> Motion:
        """Estimate the motion between images of valid sizes."""
        score = self.score(moving, fixed)
        return self.motion_from_score(moving, score, inverse)

    def estimate_learning(
        self, moving: Tensor, fixed: Tensor, inverse: bool
    ) -> tuple[Motion, Terms]:
        """Estimate from a noisy fixed image, and say how well the noise.

        Each sample is at a random step of the diffusion. The field network
        sees the predicted noise with its gradient, so that the data term
        trains both networks (Kim et al., Eq. 7).
        """
        step = torch.randint(
            self.drawn_steps, (len(fixed),), device=fixed.device
        )
        noise = torch.randn_like(fixed)
        noisy = self.q_sample(fixed, step, noise)
        predicted = self.predict_noise(moving, fixed, noisy, step)
        motion = self.motion_from_score(moving, predicted, inverse)
        return motion, {
            'noise': self.noise_weight * noise_loss(noise, predicted)
        }

    def tensor_functions(self) -> dict[str, Callable[..., Tensor]]:
        """Return the score network and the field network."""
        return {'emit_noise': self.emit_noise, 'emit_flow': self.emit_flow}

    def emit_noise(self, images: Tensor, step: Tensor) -> Tensor:
        """Run the score network; see `ScoreUNet.forward`."""
        noise: Tensor = self.denoise_fn(images, step)
        return noise

    def emit_flow(self, pair: Tensor) -> Tensor:
        """Run the field network; see `FieldUNet.forward`."""
        flow: Tensor = self.field_fn(pair)
        return flow

    def score(self, moving: Tensor, fixed: Tensor) -> Tensor:
        """Estimate the score of a pair: step 0, no noise added.

        Parameters
        ----------
        moving, fixed : (N, 1, *shape) torch.Tensor
            Images in [0, 1].

        Returns
        -------
        (N, 1, *shape) torch.Tensor
            What `motion_from_score` takes, for any `eta`.
        """
        first = torch.zeros(len(moving), dtype=torch.long, device=fixed.device)
        clean = self.to_input_range(fixed)
        return self.predict_noise(moving, fixed, clean, first)

    def motion_from_score(
        self,
        moving: Tensor,
        score: Tensor,
        inverse: bool = True,
        eta: float | None = None,
    ) -> Motion:
        """Turn a score, scaled by `eta`, into a motion.

        Parameters
        ----------
        moving : (N, 1, *shape) torch.Tensor
            Image in [0, 1].
        score : (N, 1, *shape) torch.Tensor
            From `score`, or from `predict_noise` while training.
        inverse : bool, default: True
            Whether to compute the inverse displacement too.
        eta : float, optional
            Instead of the attribute.
        """
        eta = self.eta if eta is None else eta
        pair = [self.to_input_range(moving), eta * score]
        flow = self.emit_flow(torch.cat(pair, dim=1))
        return self.shrunk_motion(flow, inverse)

    def predict_noise(
        self, moving: Tensor, fixed: Tensor, noisy: Tensor, step: Tensor
    ) -> Tensor:
        """Estimate the noise in a noisy fixed image.

        Parameters
        ----------
        moving, fixed : (N, 1, *shape) torch.Tensor
            Images in [0, 1].
        noisy : (N, 1, *shape) torch.Tensor
            From `q_sample`.
        step : (N,) torch.Tensor of int
            Step of the diffusion, from 0.

        Returns
        -------
        (N, 1, *shape) torch.Tensor
            Noise of unit variance.
        """
        pair = [self.to_input_range(moving), self.to_input_range(fixed)]
        return self.emit_noise(torch.cat([*pair, noisy], dim=1), step)

    def q_sample(self, fixed: Tensor, step: Tensor, noise: Tensor) -> Tensor:
        """Draw from the forward process.

        Parameters
        ----------
        fixed : (N, 1, *shape) torch.Tensor
            Clean image in [0, 1].
        step : (N,) torch.Tensor of int
            Step of the diffusion, from 0.
        noise : (N, 1, *shape) torch.Tensor
            Noise of unit variance.

        Returns
        -------
        (N, 1, *shape) torch.Tensor
            ``sqrt(a) x + sqrt(1 - a) noise``, in the networks' range.
        """
        around = (-1, *[1] * (fixed.ndim - 1))
        signal = self.get_buffer('sqrt_alphas_cumprod')[step].view(around)
        spread = self.get_buffer('sqrt_one_minus_alphas_cumprod')[step]
        clean = self.to_input_range(fixed)
        return signal * clean + spread.view(around) * noise

    def to_input_range(self, image: Tensor) -> Tensor:
        """Map an image in [0, 1] to what the networks were trained with."""
        return self.low + (self.high - self.low) * image


def _checked(drawn: int, steps: int, field_init: FieldInit) -> int:
    """Return how many steps training draws from."""
    if field_init not in get_args(FieldInit):
        raise ModelError(
            f"'field_init' of a DiffuseMorph cannot be {field_init!r}.",
            f'Choose {" or ".join(get_args(FieldInit))}.',
        )
    if not 0 <= drawn <= steps:
        raise ModelError(
            f"'drawn_steps' of a DiffuseMorph must be from 0 to {steps}, "
            f'not {drawn}.'
        )
    return drawn or steps

"""What every displacement estimator offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor, nn

from napari_adacs.networks.sizes import crop_end, pad_end

Terms = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Motion:
    """Estimate of a displacement estimator for a batch of pairs.

    Parameters
    ----------
    displacement : (N, ndim, *shape) torch.Tensor
        Displacement in voxels, pulling the moving image onto the fixed one.
    inverse : (N, ndim, *shape) torch.Tensor or None
        Displacement that pulls the fixed image onto the moving one, where
        the estimator knows it.
    raw : (N, ndim, *raw_shape) torch.Tensor
        What the network emits before integration and upsampling: a velocity
        or the displacement itself. It covers the padded image where the
        shape was not a valid one.
    raw_step : float
        Size of a voxel of `raw` in voxels of the image.
    log_variance : torch.Tensor or None
        Log-variance that a probabilistic estimator predicts; see
        `DisplacementEstimator.displacement_sd`.
    """

    displacement: Tensor
    inverse: Tensor | None
    raw: Tensor
    raw_step: float = 1.0
    log_variance: Tensor | None = None

    def cropped(self, shape: Sequence[int]) -> Motion:
        """Return the motion with its displacements cut to a shape."""
        inverse = self.inverse
        return replace(
            self,
            displacement=crop_end(self.displacement, shape),
            inverse=None if inverse is None else crop_end(inverse, shape),
        )


class DisplacementEstimator(nn.Module, ABC):
    """Base class: two images in, a displacement out.

    A subclass writes `estimate` for images of valid sizes. Calling the
    estimator, or `learn`, takes images of any shape: they are padded with
    zeros at the end, and the displacement is cropped.

    Attributes
    ----------
    ndim : int
        Number of spatial axes.
    size_multiple : int
        Every axis that `estimate` sees is a multiple of this.
    invertible : bool
        Whether the motion comes with its inverse.
    own_prior : bool
        Whether the losses of `learn` hold a prior on the motion, so that no
        smoothness penalty belongs beside them.
    """

    ndim: int
    size_multiple: int
    own_prior: ClassVar[bool] = False

    @property
    @abstractmethod
    def invertible(self) -> bool:
        """Whether the motion comes with its inverse."""

    def forward(
        self, moving: Tensor, fixed: Tensor, inverse: bool = True
    ) -> Motion:
        """Estimate the motion between images (N, 1, *shape) of any shape.

        Parameters
        ----------
        moving, fixed : (N, 1, *shape) torch.Tensor
            Images in [0, 1].
        inverse : bool, default: True
            Whether to compute the inverse displacement too.
        """
        motion = self.estimate(
            self._padded(moving), self._padded(fixed), inverse
        )
        return motion.cropped(moving.shape[2:])

    def learn(
        self, moving: Tensor, fixed: Tensor, inverse: bool = True
    ) -> tuple[Motion, Terms]:
        """Estimate the motion while training, with the estimator's losses.

        Parameters
        ----------
        moving, fixed, inverse
            As in `forward`.

        Returns
        -------
        motion : Motion
            The data term compares the images with it. A probabilistic
            estimator draws it.
        terms : dict of str to torch.Tensor
            Losses of the estimator itself, already weighted, to be added to
            data term and smoothness.
        """
        motion, terms = self.estimate_learning(
            self._padded(moving), self._padded(fixed), inverse
        )
        return motion.cropped(moving.shape[2:]), terms

    @abstractmethod
    def estimate(self, moving: Tensor, fixed: Tensor, inverse: bool) -> Motion:
        """Estimate the motion between images of valid sizes."""

    def estimate_learning(
        self, moving: Tensor, fixed: Tensor, inverse: bool
    ) -> tuple[Motion, Terms]:
        """Do as `learn`, with images of valid sizes."""
        return self.estimate(moving, fixed, inverse), {}

    @abstractmethod
    def displace(self, raw: Tensor) -> Tensor:
        """Turn what the network emits into a displacement.

        Parameters
        ----------
        raw : (N, ndim, *raw_shape) torch.Tensor
            As in `Motion.raw`.

        Returns
        -------
        (N, ndim, *shape) torch.Tensor
            Displacement in voxels.
        """

    @abstractmethod
    def motion(self, raw: Tensor, inverse: bool = True) -> Motion:
        """Turn what the network emits into a motion."""

    def displacement_sd(self, motion: Motion) -> Tensor | None:
        """Return the standard deviation of each displacement component.

        Parameters
        ----------
        motion : Motion
            From this estimator.

        Returns
        -------
        (N, ndim, *shape) torch.Tensor or None
            In voxels; None from an estimator that predicts none.
        """
        del motion
        return None

    def tensor_functions(self) -> dict[str, Callable[..., Tensor]]:
        """Return the functions that hold nearly all of the computation.

        Each takes and returns tensors only. A backend may put another
        implementation of it on the instance, under the name given here.
        """
        return {}

    def _padded(self, image: Tensor) -> Tensor:
        return pad_end(image, self.size_multiple)

"""Sizes of DiffuseMorph networks.

References
----------
Kim et al., "DiffuseMorph: Unsupervised Deformable Image Registration Using
Diffusion Model", ECCV 2022.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DiffuseMorphConfig:
    """Sizes of a DiffuseMorph.

    Parameters
    ----------
    features : int
        Channels of the score network's first level.
    multipliers : tuple of int
        Channels of its levels in units of `features`.
    attention_sizes : tuple of int
        Its levels of these nominal sizes attend.
    image_size : int
        Nominal size of its first level; it halves from level to level.
    encoder, decoder : tuple of int
        Features of the field network, see `FieldUNet`.
    steps : int
        Steps of the noise schedule.
    """

    features: int
    multipliers: tuple[int, ...]
    attention_sizes: tuple[int, ...]
    image_size: int
    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    steps: int = 2000

    def attention(self) -> list[bool]:
        """Return which levels of the score network attend."""
        return [
            self.image_size // 2**level in self.attention_sizes
            for level in range(len(self.multipliers))
        ]


CONFIGS: dict[int, DiffuseMorphConfig] = {
    2: DiffuseMorphConfig(
        features=64,
        multipliers=(1, 2, 4, 4),
        attention_sizes=(8,),
        image_size=128,
        encoder=(64, 128, 256, 512, 1024),
        decoder=(1024, 512, 256, 128, 64),
    ),
    3: DiffuseMorphConfig(
        features=8,
        multipliers=(1, 2, 4, 4),
        attention_sizes=(10,),
        image_size=128,
        encoder=(16, 32, 32, 32, 32),
        decoder=(32, 32, 32, 8, 8),
    ),
}

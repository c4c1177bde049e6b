"""What pairs of random shapes are like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ShapesOptions:
    """What is drawn.

    Parameters
    ----------
    fewest_labels, most_labels : int
        Shapes of the noise image; chambers add two labels each.
    most_chambers : int
        Hollow shapes.
    motion : float
        Factor on the size of the deformations; 0 for none.
    squeeze : float
        Largest logarithmic shrinking of a chamber between the frames.
    background : float
        Probability that only one body is there, and nothing around it.
    same_contrast : float
        Probability that both frames are of one kind.
    speckle : float
        Probability that both frames have speckle.
    sector : float
        Probability that a fan is all that is seen; twice that with speckle.
    """

    fewest_labels: int = 4
    most_labels: int = 16
    most_chambers: int = 3
    motion: float = 1.0
    squeeze: float = 0.5
    background: float = 0.4
    same_contrast: float = 0.6
    speckle: float = 0.3
    sector: float = 0.25

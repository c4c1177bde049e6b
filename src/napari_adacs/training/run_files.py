"""Names of the files in the folder of a run; known without torch."""

from __future__ import annotations

CHECKPOINT = 'checkpoint.pt'
LOG = 'log.csv'
MODEL = 'model.safetensors'
BEST = 'best.safetensors'
DATA = 'data.csv'
PREVIEWS = 'previews'
# The newest preview as a whole, and what names of its images begin with.
NEWEST = 'newest.npz'
PREVIEW_IMAGE = 'image_'

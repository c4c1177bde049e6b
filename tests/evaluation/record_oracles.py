"""Write recorded.json: what other tools say about the pairs of conftest.py.

Not a test and not run by them. Needs SimpleITK, MedPy and MONAI; for the
last two `pip install --no-deps --target DIR monai medpy` and DIR on the
Python path is enough.
"""

from __future__ import annotations

import json
from importlib.metadata import version

import monai.metrics as mm
import numpy as np
import SimpleITK as sitk  # noqa: N813
import torch
from conftest import ORACLE_PAIRS, RECORDED
from medpy.metric import binary
from scipy.ndimage import binary_erosion


def by_medpy(a, b, spacing):
    return {
        'dsc': binary.dc(a, b),
        'jaccard': binary.jc(a, b),
        'hd': binary.hd(a, b, spacing),
        'hd95_pooled': binary.hd95(a, b, spacing),
        'asd': binary.asd(a, b, spacing),
        'asd_reverse': binary.asd(b, a, spacing),
    }


def by_monai(a, b, spacing):
    first, second = (torch.from_numpy(m)[None, None].float() for m in (a, b))
    how = {'include_background': True, 'spacing': list(spacing)}
    return {
        'hd': mm.compute_hausdorff_distance(first, second, **how).item(),
        'hd95': mm.compute_hausdorff_distance(
            first, second, percentile=95, **how
        ).item(),
        'asd': mm.compute_average_surface_distance(
            first, second, **how
        ).item(),
        'assd': mm.compute_average_surface_distance(
            first, second, symmetric=True, **how
        ).item(),
    }


def by_simpleitk(a, b, spacing):
    directed = []
    for source, target in ((a, b), (b, a)):
        surfaces = [m & ~binary_erosion(m) for m in (source, target)]
        image = sitk.GetImageFromArray(surfaces[1].astype(np.uint8))
        image.SetSpacing(spacing[::-1])
        distance = sitk.SignedMaurerDistanceMap(
            image, squaredDistance=False, useImageSpacing=True
        )
        # Inside a thick surface the signed distance is negative.
        array = np.maximum(sitk.GetArrayFromImage(distance), 0)
        directed.append(array[surfaces[0]].astype(float))
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*(sitk.GetImageFromArray(m.astype(int)) for m in (a, b)))
    both = np.concatenate(directed)
    return {
        'dsc': overlap.GetDiceCoefficient(),
        'jaccard': overlap.GetJaccardCoefficient(),
        'hd': both.max(),
        'hd95': max(np.percentile(d, 95) for d in directed),
        'asd': directed[0].mean(),
        'asd_reverse': directed[1].mean(),
        'assd': both.mean(),
    }


TOOLS = {'monai': by_monai, 'medpy': by_medpy, 'SimpleITK': by_simpleitk}

if __name__ == '__main__':
    pairs = {
        name: {
            tool: {k: float(v) for k, v in measure(*build()).items()}
            for tool, measure in TOOLS.items()
        }
        for name, build in ORACLE_PAIRS.items()
    }
    record = {'versions': {t: version(t) for t in TOOLS}, 'pairs': pairs}
    RECORDED.write_text(json.dumps(record, indent=1) + '\n', encoding='utf-8')

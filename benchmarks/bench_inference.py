"""Time the networks plain, faster, and with OpenVINO, in the same run.

OpenVINO takes part where it is installed; its first call, which compiles, is
not counted.

    python benchmarks/bench_inference.py [--threads 2] [--rounds 5]

The figures of a busy machine jump; the ratios are taken within each round,
of calls that follow each other, and their median is printed.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from napari_adacs.networks.fast import accelerated
from napari_adacs.networks.registry import build_auxiliary, build_displacement
from napari_adacs.registration.openvino import compiled

CASES: dict[str, tuple[str, dict[str, object], tuple[int, ...]]] = {
    'VoxelMorph 64³': ('voxelmorph', {}, (64, 64, 64)),
    'VoxelMorph 128²': ('voxelmorph', {}, (128, 128)),
    'pyramid 64³': ('pyramid', {}, (64, 64, 64)),
    'pyramid 128²': ('pyramid', {}, (128, 128)),
    'scoring 64³': ('scoring', {}, (64, 64, 64)),
    'variance 64³': ('variance', {}, (64, 64, 64)),
    'TransMorph base 64³': ('transmorph', {}, (64, 64, 64)),
    'TransMorph base 128²': ('transmorph', {}, (128, 128)),
    'DiffuseMorph 64³': ('diffusemorph', {}, (64, 64, 64)),
    'DiffuseMorph 128²': ('diffusemorph', {}, (128, 128)),
}


def build(name: str, options: dict[str, object], ndim: int) -> nn.Module:
    """Return a network with weights that move something."""
    torch.manual_seed(0)
    values = {'ndim': ndim, **options}
    if name in ('scoring', 'variance'):
        return build_auxiliary(name, values).eval()
    network = build_displacement(name, values).eval()
    heads = {
        'voxelmorph': ['flow'],
        'pyramid': [f'estimators.{level}.flow' for level in range(4)],
        'transmorph': ['reg_head.0'],
        'diffusemorph': ['field_fn.outconv.block'],
    }[name]
    with torch.no_grad():
        for head in heads:
            network.get_submodule(head).weight.normal_(0, 0.1)
    return network


def output(network: nn.Module, pair: list[Tensor]) -> Tensor:
    """Return the displacement or the map."""
    found = network(*pair)
    return found if isinstance(found, Tensor) else found.displacement


def seconds(call: Callable[[], object]) -> float:
    """Return the time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compare(
    network: nn.Module,
    shape: tuple[int, ...],
    rounds: int,
    ways: dict[str, Callable[[], contextlib.AbstractContextManager[object]]],
) -> None:
    """Print seconds, ratios and differences of one network."""
    pair = [torch.rand(1, 1, *shape) for _ in range(2)]
    times: dict[str, list[float]] = {name: [] for name in ways}
    results: dict[str, Tensor] = {}
    with torch.inference_mode():
        for turn in range(rounds + 1):
            for name, way in ways.items():
                with way():
                    if turn == 0:
                        results[name] = output(network, pair)
                        continue
                    run = seconds(lambda: output(network, pair))
                times[name].append(run)
    plain = times['plain']
    for name, found in times.items():
        ratio = statistics.median(
            f / p for f, p in zip(found, plain, strict=True)
        )
        difference = (results[name] - results['plain']).abs().max().item()
        print(
            f'    {name:10} {min(found):7.3f} s   {ratio:5.2f} x plain   '
            f'largest difference {difference:.1e}'
        )


def main() -> None:
    """Compare all networks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--only', default='', help='part of a name')
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    print(f'torch {torch.__version__}, {chosen.threads} threads')
    for title, (name, options, shape) in CASES.items():
        if chosen.only.lower() not in title.lower():
            continue
        network = build(name, options, len(shape))
        print(title)
        ways = {
            'plain': contextlib.nullcontext,
            'faster': lambda network=network: accelerated([network]),
        }
        if find_spec('openvino'):
            ways['openvino'] = lambda network=network: compiled(
                [network], torch.device('cpu')
            )
        compare(network, shape, chosen.rounds, ways)


if __name__ == '__main__':
    main()

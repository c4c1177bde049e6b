"""What can be said about training; nothing heavy is imported here."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser, Namespace

from napari_adacs.cli.parser_parts import Verbs


def add_train(verbs: Verbs[ArgumentParser]) -> None:
    """Add ``train``."""
    parser = verbs.add_parser(
        'train',
        help='train a model',
        description='Train a model on pairs of images. Ctrl-C stops and '
        'keeps a checkpoint, from which --resume continues. Under torchrun '
        'several processes share the work: torchrun --nproc-per-node 2 -m '
        'napari_adacs train ...',
    )
    parser.add_argument(
        'data',
        metavar='DATA',
        nargs='+',
        help='folder with train/ and val/ of .mat or NIfTI pairs, folder '
        'of NIfTI pairs, .csv table, pattern such as '
        '"{patient}_{ED>ES}[|_gt].nii.gz", phantom:N for N pairs of the '
        'echo phantom, or shapes:N for N pairs of random shapes; several '
        'are joined, and the first is validated on',
    )
    parser.add_argument(
        '--config', required=True, metavar='FILE', help='.toml recipe'
    )
    parser.add_argument(
        '-o', '--out', required=True, metavar='DIR', help='folder of the run'
    )
    parser.add_argument(
        '--start-from',
        metavar='MODEL',
        help='bundle whose displacement network is the start',
    )
    parser.add_argument(
        '--device',
        default='auto',
        metavar='D',
        help='auto (CUDA or CPU), cpu, cuda, cuda:N or mps (default: auto)',
    )
    parser.add_argument(
        '--minutes',
        type=_minutes,
        metavar='M',
        help='time for the whole run, validation included: the stages of the '
        'recipe keep their ratio and get the steps that fit',
    )
    parser.add_argument(
        '--resume', action='store_true', help='continue the run in DIR'
    )
    parser.set_defaults(run=_train)


def add_prepare(verbs: Verbs[ArgumentParser]) -> None:
    """Add ``prepare``."""
    parser = verbs.add_parser(
        'prepare',
        help='turn a public data set into pairs to train on',
        description='Write the pairs of a data set as the papers use them, '
        'cropped (ACDC) or resized (CAMUS) to 128 x 128, divided by patient '
        'into DST/train, DST/val and DST/test. camus-3d turns the '
        'four-chamber pairs that `prepare camus` has written about the left '
        'ventricle, for volumes of 64 x 64 x 64.',
    )
    parser.add_argument(
        'dataset', choices=('acdc', 'camus', 'camus-3d'), help='which data set'
    )
    parser.add_argument(
        'source',
        metavar='SRC',
        help='folder of the unpacked download; of prepared CAMUS for camus-3d',
    )
    parser.add_argument(
        '-o', '--out', required=True, metavar='DST', help='folder for pairs'
    )
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        metavar='N',
        help='divides the patients (default: 0)',
    )
    parser.set_defaults(run=_prepare)


def _minutes(text: str) -> float:
    value = float(text)
    if not 0 < value < float('inf'):
        raise argparse.ArgumentTypeError(f'{text} is not a time')
    return value


def _train(chosen: Namespace) -> int:
    from napari_adacs.cli.train import run

    return run(chosen)


def _prepare(chosen: Namespace) -> int:
    from napari_adacs.cli.prepare import run

    return run(chosen)

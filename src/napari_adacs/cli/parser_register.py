"""What ``napari-adacs register`` can be told."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from napari_adacs.cli.parser_parts import (
    IMAGES,
    Verbs,
    add_compare,
    add_frames,
    add_out,
    count,
)


def add_register(verbs: Verbs[ArgumentParser]) -> None:
    """Add the command to the parser of all commands."""
    parser = verbs.add_parser(
        'register',
        help='register a moving image to a fixed image',
        description='Register MOVING to FIXED. OUT gets warped.nii.gz, '
        'displacement.nii.gz (an ITK displacement field), the maps of the '
        'model (score, variance, weight, displacement_sd), run.json, and '
        'with labels warped_labels.nii.gz and metrics.csv.',
    )
    parser.add_argument('moving', metavar='MOVING', help=IMAGES)
    parser.add_argument('fixed', metavar='FIXED', help=IMAGES)
    add_out(parser, 'OUT', 'folder for the results')
    _add_model(parser)
    _add_refining(parser)
    _add_region(parser)
    _add_computing(parser)
    _add_labels(parser)
    add_frames(parser)
    parser.set_defaults(run=_register)


def _register(chosen: Namespace) -> int:
    from napari_adacs.cli.register import run

    return run(chosen)


def _add_model(parser: ArgumentParser) -> None:
    parser.add_argument(
        '--model',
        default='auto',
        metavar='NAME|PATH',
        help='name from "models list", bundle or public checkpoint; auto '
        'looks at the images and says what it took and why (default: auto)',
    )
    parser.add_argument(
        '--eta',
        type=float,
        metavar='X',
        help='scale of the score of a DiffuseMorph model (default: the '
        "model's own, mostly 1)",
    )


def _add_refining(parser: ArgumentParser) -> None:
    parser.add_argument(
        '--refine',
        type=count,
        default=0,
        metavar='N',
        help='steps of optimisation on this pair (default: 0; without a '
        'model, some tens)',
    )
    parser.add_argument(
        '--refine-what',
        choices=['field', 'network'],
        default='field',
        help='refine a field, or train a copy of the network (default: field)',
    )
    parser.add_argument(
        '--refine-by',
        choices=['lncc', 'mse'],
        default='lncc',
        help='local correlation or squared residual (default: lncc)',
    )
    parser.add_argument(
        '--refine-smoothness',
        type=float,
        default=1.0,
        metavar='S',
        help='times the usual smoothness (default: 1)',
    )
    parser.add_argument(
        '--refine-prior',
        type=float,
        metavar='P',
        help="how much a refined field holds on to the model's estimate, 0 "
        "for not at all (default: the model's own, mostly 0)",
    )
    parser.add_argument(
        '--refine-on',
        choices=['native', 'network'],
        default='native',
        help='grid on which a free field is refined (default: native)',
    )


def _add_region(parser: ArgumentParser) -> None:
    parser.add_argument(
        '--emphasis',
        metavar='MASK',
        help='where the optimisation tries harder, an image with zeros '
        'elsewhere',
    )
    parser.add_argument(
        '--emphasis-weight',
        type=float,
        default=10.0,
        metavar='W',
        help='residuals in the mask count 1 + W times (default: 10)',
    )


def _add_computing(parser: ArgumentParser) -> None:
    parser.add_argument(
        '--device',
        default='auto',
        metavar='D',
        help='auto, cpu, cuda, cuda:N or mps (default: auto)',
    )
    parser.add_argument(
        '--threads',
        type=count,
        default=0,
        metavar='N',
        help='CPU threads; 0 takes one per core, or one while other '
        'programs keep every core busy (default: 0)',
    )
    parser.add_argument(
        '--backend',
        choices=['auto', 'plain', 'openvino'],
        default='auto',
        help='what computes the networks: the fastest that torch has, the '
        'modules as they are, or OpenVINO (default: auto)',
    )


def _add_labels(parser: ArgumentParser) -> None:
    parser.add_argument(
        '--moving-labels', metavar='L', help='segmentation of MOVING'
    )
    parser.add_argument(
        '--fixed-labels', metavar='L', help='segmentation of FIXED'
    )
    add_compare(parser)

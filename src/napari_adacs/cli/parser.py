"""What can be said on the command line; nothing heavy is imported here."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser, Namespace

from napari_adacs.cli.parser_benchmark import add_benchmark
from napari_adacs.cli.parser_models import add_models
from napari_adacs.cli.parser_parts import (
    FRAME,
    IMAGES,
    Verbs,
    add_compare,
    add_frames,
    add_out,
    count,
)
from napari_adacs.cli.parser_register import add_register
from napari_adacs.cli.parser_training import add_prepare, add_train


def make_parser() -> ArgumentParser:
    """Return the parser of all commands."""
    parser = ArgumentParser(
        prog='napari-adacs',
        description='Deformable registration of 2D and 3D images, with maps '
        'that say where to trust it.',
    )
    parser.add_argument('--version', action=_Version)
    verbs = parser.add_subparsers(
        title='commands', metavar='COMMAND', required=True
    )
    add_register(verbs)
    _add_warp(verbs)
    _add_evaluate(verbs)
    add_benchmark(verbs)
    add_train(verbs)
    add_prepare(verbs)
    add_models(verbs)
    _add_demo(verbs)
    return parser


class _Version(argparse.Action):
    """Look the version up only when it is asked for."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(
            option_strings, dest, nargs=0, help='show the version and exit'
        )

    def __call__(self, parser: ArgumentParser, *_: object) -> None:
        from napari_adacs import __version__

        print(f'napari-adacs {__version__}')
        parser.exit()


def _add_warp(verbs: Verbs[ArgumentParser]) -> None:
    parser = verbs.add_parser(
        'warp',
        help='apply a displacement field to an image or a segmentation',
        description='Resample IMAGE, which belongs to the moving side, on '
        'the grid of DISPLACEMENT. Segmentations are recognised.',
    )
    parser.add_argument('image', metavar='IMAGE|LABELS', help=IMAGES)
    parser.add_argument(
        'displacement',
        metavar='DISPLACEMENT',
        help='displacement.nii.gz, or one written by ITK or ANTs',
    )
    add_out(parser, 'FILE', '.nii or .nii.gz file')
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        '--labels',
        dest='kind',
        action='store_const',
        const='labels',
        help='treat it as a segmentation',
    )
    kind.add_argument(
        '--image',
        dest='kind',
        action='store_const',
        const='image',
        help='treat it as an image',
    )
    parser.add_argument('--frame', type=count, metavar='T', help=FRAME)
    parser.set_defaults(run=_warp)


def _add_evaluate(verbs: Verbs[ArgumentParser]) -> None:
    parser = verbs.add_parser(
        'evaluate',
        help='compare segmentations before and after registration',
        description='Write a table of DSC, Hausdorff and surface distances '
        'per label, before and (with --displacement) after registration.',
    )
    parser.add_argument('moving_labels', metavar='MOVING_LABELS', help=IMAGES)
    parser.add_argument('fixed_labels', metavar='FIXED_LABELS', help=IMAGES)
    parser.add_argument(
        '--displacement', metavar='FILE', help='displacement.nii.gz'
    )
    parser.add_argument(
        '--preset',
        choices=('default', 'code'),
        default='default',
        help="'code': by the rules of the authors' script, see "
        'docs/metrics.md (needs --displacement)',
    )
    add_out(parser, 'FILE', '.csv or .md file')
    add_compare(parser)
    add_frames(parser)
    parser.set_defaults(run=_evaluate)


def _add_demo(verbs: Verbs[ArgumentParser]) -> None:
    parser = verbs.add_parser(
        'demo',
        help='register the 3D echo sample in the napari window',
        description='Open napari with the 3D echo sample, register it and '
        'evaluate the result. With -o the files of "register" and a '
        'screenshot are written too.',
    )
    add_out(parser, 'DIR', 'folder for files and a screenshot', required=False)
    parser.add_argument(
        '--headless',
        action='store_true',
        help='close the window at the end, for machines without a screen '
        '(needs -o)',
    )
    parser.set_defaults(run=_demo)


# A verb brings what it needs when it is chosen, so that help is immediate.


def _warp(chosen: Namespace) -> int:
    from napari_adacs.cli.warp import run

    return run(chosen)


def _evaluate(chosen: Namespace) -> int:
    from napari_adacs.cli.evaluate import run

    return run(chosen)


def _demo(chosen: Namespace) -> int:
    from napari_adacs.cli.demo import run

    return run(chosen)

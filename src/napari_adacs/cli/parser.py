"""What can be said on the command line; nothing heavy is imported here."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser, Namespace

from napari_adacs.cli.parser_benchmark import add_benchmark
from napari_adacs.cli.parser_models import add_models
from napari_adacs.cli.parser_training import add_prepare, add_train

_IMAGES = 'NIfTI (.nii, .nii.gz) or NumPy (.npy, .npz)'
_FRAME = 'frame of a 4D file, from 0'


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
    _add_register(verbs)
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


_Verbs = argparse._SubParsersAction  # noqa: SLF001 - has no public name


def _add_register(verbs: _Verbs[ArgumentParser]) -> None:
    parser = verbs.add_parser(
        'register',
        help='register a moving image to a fixed image',
        description='Register MOVING to FIXED. OUT gets warped.nii.gz, '
        'displacement.nii.gz (an ITK displacement field), the maps of the '
        'model (score, variance, weight, displacement_sd), run.json, and '
        'with labels warped_labels.nii.gz and metrics.csv.',
    )
    parser.add_argument('moving', metavar='MOVING', help=_IMAGES)
    parser.add_argument('fixed', metavar='FIXED', help=_IMAGES)
    _out(parser, 'OUT', 'folder for the results')
    parser.add_argument(
        '--model',
        default='auto',
        metavar='NAME|PATH',
        help='name from "models list", bundle or public checkpoint '
        '(default: auto)',
    )
    parser.add_argument(
        '--device',
        default='auto',
        metavar='D',
        help='auto, cpu, cuda, cuda:N or mps (default: auto)',
    )
    parser.add_argument(
        '--refine',
        type=_count,
        default=0,
        metavar='N',
        help='steps of optimisation on this pair (default: 0; without a '
        'model, some tens)',
    )
    _add_refining(parser)
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
    parser.add_argument(
        '--threads',
        type=_count,
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
    parser.add_argument(
        '--eta',
        type=float,
        metavar='X',
        help='scale of the score of a DiffuseMorph model (default: the '
        "model's own, mostly 1)",
    )
    parser.add_argument(
        '--moving-labels', metavar='L', help='segmentation of MOVING'
    )
    parser.add_argument(
        '--fixed-labels', metavar='L', help='segmentation of FIXED'
    )
    _compare(parser)
    parser.add_argument(
        '--moving-frame', type=_count, metavar='T', help=_FRAME
    )
    parser.add_argument('--fixed-frame', type=_count, metavar='T', help=_FRAME)
    parser.set_defaults(run=_register)


def _add_refining(parser: ArgumentParser) -> None:
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
        '--refine-on',
        choices=['native', 'network'],
        default='native',
        help='grid on which a free field is refined (default: native)',
    )


def _add_warp(verbs: _Verbs[ArgumentParser]) -> None:
    parser = verbs.add_parser(
        'warp',
        help='apply a displacement field to an image or a segmentation',
        description='Resample IMAGE, which belongs to the moving side, on '
        'the grid of DISPLACEMENT. Segmentations are recognised.',
    )
    parser.add_argument('image', metavar='IMAGE|LABELS', help=_IMAGES)
    parser.add_argument(
        'displacement',
        metavar='DISPLACEMENT',
        help='displacement.nii.gz, or one written by ITK or ANTs',
    )
    _out(parser, 'FILE', '.nii or .nii.gz file')
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
    parser.add_argument('--frame', type=_count, metavar='T', help=_FRAME)
    parser.set_defaults(run=_warp)


def _add_evaluate(verbs: _Verbs[ArgumentParser]) -> None:
    parser = verbs.add_parser(
        'evaluate',
        help='compare segmentations before and after registration',
        description='Write a table of DSC, Hausdorff and surface distances '
        'per label, before and (with --displacement) after registration.',
    )
    parser.add_argument('moving_labels', metavar='MOVING_LABELS', help=_IMAGES)
    parser.add_argument('fixed_labels', metavar='FIXED_LABELS', help=_IMAGES)
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
    _out(parser, 'FILE', '.csv or .md file')
    _compare(parser)
    parser.add_argument(
        '--moving-frame', type=_count, metavar='T', help=_FRAME
    )
    parser.add_argument('--fixed-frame', type=_count, metavar='T', help=_FRAME)
    parser.set_defaults(run=_evaluate)


def _add_demo(verbs: _Verbs[ArgumentParser]) -> None:
    parser = verbs.add_parser(
        'demo',
        help='register the 3D echo sample in the napari window',
        description='Open napari with the 3D echo sample, register it and '
        'evaluate the result. With -o the files of "register" and a '
        'screenshot are written too.',
    )
    _out(parser, 'DIR', 'folder for files and a screenshot', required=False)
    parser.add_argument(
        '--headless',
        action='store_true',
        help='close the window at the end, for machines without a screen '
        '(needs -o)',
    )
    parser.set_defaults(run=_demo)


def _out(
    parser: ArgumentParser, metavar: str, text: str, required: bool = True
) -> None:
    parser.add_argument(
        '-o',
        '--out',
        required=required,
        metavar=metavar,
        help=text,
    )


def _compare(parser: ArgumentParser) -> None:
    parser.add_argument(
        '--compare',
        type=_count,
        nargs='+',
        metavar='LABEL',
        help='labels to compare (default: all; they must be in both)',
    )


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f'{text} is negative')
    return value


# A verb brings what it needs when it is chosen, so that help is immediate.


def _register(chosen: Namespace) -> int:
    from napari_adacs.cli.register import run

    return run(chosen)


def _warp(chosen: Namespace) -> int:
    from napari_adacs.cli.warp import run

    return run(chosen)


def _evaluate(chosen: Namespace) -> int:
    from napari_adacs.cli.evaluate import run

    return run(chosen)


def _demo(chosen: Namespace) -> int:
    from napari_adacs.cli.demo import run

    return run(chosen)

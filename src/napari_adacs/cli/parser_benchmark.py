"""What ``napari-adacs benchmark`` can be told."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser, Namespace

from napari_adacs.cli.parser_parts import Verbs


def add_benchmark(verbs: Verbs[ArgumentParser]) -> None:
    """Add the command to the parser of all commands."""
    parser = verbs.add_parser(
        'benchmark',
        help='compare models and classical methods on many pairs',
        description='Register every pair of DATA with every model, and with '
        'classical methods that are installed; write tables, statistics, '
        'plots and a report. The same command continues a run that was '
        'stopped, and adds methods to it.',
    )
    _add_options(parser)
    parser.set_defaults(run=_benchmark)


def _benchmark(chosen: Namespace) -> int:
    from napari_adacs.cli.benchmark import run

    return run(chosen)


def _add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        'data',
        metavar='DATA',
        help='folder of .mat pairs; folder of image pairs, .csv table or '
        'pattern as for train; or phantom:N, phantom-clear:N or '
        'phantom-hard:N for N echo phantoms',
    )
    parser.add_argument(
        '-o', '--out', required=True, metavar='DIR', help='folder of the run'
    )
    _add_methods(parser)
    _add_tables(parser)
    _add_work(parser)


def _add_methods(parser: ArgumentParser) -> None:
    parser.add_argument(
        '--models',
        nargs='+',
        metavar='NAME|PATH',
        help='models to compare, as for register: none fits a field from '
        'zero, MODEL+N refines by up to N steps, LABEL=PATH is called LABEL '
        '(default: all that fit the images)',
    )
    parser.add_argument(
        '--peers',
        nargs='*',
        metavar='NAME',
        help='classical methods: demons, greedy, ants-syn, elastix (default: '
        'those installed; no name for none)',
    )
    parser.add_argument(
        '--limit',
        type=_positive,
        metavar='N',
        help='only N cases, evenly spread over DATA',
    )
    parser.add_argument(
        '--axes',
        type=int,
        choices=(2, 3),
        help='axes of phantoms (default: those of the first model, or 2)',
    )


def _add_tables(parser: ArgumentParser) -> None:
    parser.add_argument(
        '--reference',
        metavar='NAME',
        help='method that the others are tested against (default: the first '
        'model)',
    )
    parser.add_argument(
        '--preset',
        choices=('default', 'code'),
        default='default',
        help="rules of the printed table; 'code' are those of the authors' "
        'script (the files have both)',
    )
    parser.add_argument(
        '--label-name',
        nargs='+',
        type=_named,
        default=[],
        metavar='LABEL=NAME',
        help='names of labels for the tables, such as 2=myocardium',
    )


def _add_work(parser: ArgumentParser) -> None:
    parser.add_argument(
        '--jobs',
        type=_positive,
        default=1,
        metavar='N',
        help='processes (default: 1, for comparable times)',
    )
    parser.add_argument(
        '--threads',
        type=int,
        default=1,
        metavar='N',
        help='CPU threads of each process; 0 leaves the choice to the '
        'libraries (default: 1)',
    )
    parser.add_argument(
        '--device',
        default='cpu',
        metavar='D',
        help='where models run: cpu, cuda, cuda:N or mps (default: cpu)',
    )
    parser.add_argument(
        '--dask',
        metavar='ADDRESS',
        help='scheduler of a Dask cluster to use in place of processes',
    )
    parser.add_argument(
        '--timeout',
        type=float,
        metavar='S',
        help='give a registration up after S seconds (processes only)',
    )
    parser.add_argument(
        '--retry-failed',
        action='store_true',
        help='try cases again that failed before',
    )


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f'{text} is not at least 1')
    return value


def _named(text: str) -> tuple[int, str]:
    number, sign, name = text.partition('=')
    if not sign or not number.isdecimal() or not name:
        raise argparse.ArgumentTypeError(f'{text} is not LABEL=NAME')
    return int(number), name

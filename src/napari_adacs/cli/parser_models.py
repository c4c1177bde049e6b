"""What can be said to ``napari-adacs models``."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from napari_adacs.cli.parser_parts import Verbs


def add_models(verbs: Verbs[ArgumentParser]) -> None:
    """Add the verb and its actions."""
    parser = verbs.add_parser(
        'models', help='list, show, import or download models'
    )
    actions = parser.add_subparsers(
        title='actions', metavar='ACTION', required=True
    )
    listing = actions.add_parser('list', help='list all models')
    listing.set_defaults(run=_list_models)
    show = actions.add_parser(
        'show', help='print the card of a model: data, figures, limits'
    )
    show.add_argument('name', metavar='NAME', help='name or path of a model')
    show.add_argument(
        '--markdown', action='store_true', help='print it as Markdown'
    )
    show.add_argument(
        '--recipe', action='store_true', help='print its recipe too'
    )
    show.set_defaults(run=_show_model)
    _add_import(actions)
    download = actions.add_parser(
        'download',
        help='fetch a model from the Hugging Face hub',
        description='Fetch a model that "models list" shows as remote, or '
        'any checkpoint on the hub, convert it and put it into your model '
        'folder. HF_HOME, HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are '
        'honoured.',
    )
    download.add_argument(
        'name', metavar='NAME', help='name, or OWNER/REPOSITORY/FILE'
    )
    download.set_defaults(run=_download_model)


def _add_import(actions: Verbs[ArgumentParser]) -> None:
    parser = actions.add_parser(
        'import',
        help='convert a public checkpoint to a model bundle',
        description='Recognise a checkpoint of VoxelMorph, TransMorph or '
        'DiffuseMorph (PyTorch or Keras) by its content, and write it as a '
        'model bundle. Nothing in the file is run. Give the files of scoring '
        'and variance estimators along with that of their network.',
    )
    parser.add_argument(
        'files', metavar='FILE', nargs='+', help='.pt, .pth, .pth.tar or .h5'
    )
    _add_network(parser)
    _add_bundle(parser)
    parser.set_defaults(run=_import_model)


def _add_bundle(parser: ArgumentParser) -> None:
    parser.add_argument(
        '-o',
        '--out',
        metavar='FILE',
        help='bundle (default: in your model folder)',
    )
    for name, text in (
        ('name', 'name of the model'),
        ('title', 'what the model is'),
        ('domain', 'what it was trained on, such as "brain MR"'),
        ('licence', 'licence of the weights'),
    ):
        parser.add_argument(f'--{name}', default='', help=text)
    parser.add_argument(
        '--half', action='store_true', help='store in half precision'
    )


def _add_network(parser: ArgumentParser) -> None:
    parser.add_argument(
        '--shape',
        type=int,
        nargs='+',
        metavar='N',
        help='resample every image to this network grid (default: keep the '
        'voxels of the fixed image)',
    )
    parser.add_argument(
        '--orientation',
        choices=('file', 'array', 'lps', 'beam'),
        help='order of axes that the network was trained with (default: '
        'file, x before z)',
    )
    parser.add_argument(
        '--option',
        action='append',
        default=[],
        metavar='NAME=VALUE',
        help='option of the network that the file does not say, such as '
        'int_steps=0; may be repeated',
    )


def _list_models(chosen: Namespace) -> int:
    from napari_adacs.cli.models import run_list

    return run_list(chosen)


def _show_model(chosen: Namespace) -> int:
    from napari_adacs.cli.models import run_show

    return run_show(chosen)


def _download_model(chosen: Namespace) -> int:
    from napari_adacs.cli.download_model import run_download

    return run_download(chosen)


def _import_model(chosen: Namespace) -> int:
    from napari_adacs.cli.import_model import run_import

    return run_import(chosen)

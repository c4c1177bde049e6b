"""Parse, run, and turn expected failures into a sentence and a code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from napari_adacs.cli.parser import make_parser
from napari_adacs.errors import AdacsError

DONE, FAILED, INTERRUPTED = 0, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; the shell's if omitted.

    Returns
    -------
    int
        0 if it worked; 2 after one sentence on stderr if it could not; 130
        if it was interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    chosen = make_parser().parse_args(words)
    chosen.words = words
    try:
        code = int(chosen.run(chosen) or DONE)
        sys.stdout.flush()
    except AdacsError as error:
        return _failed(str(error))
    except MemoryError:
        return _failed(
            'The computer ran out of memory. Crop or resample the images, '
            'or close other programs.'
        )
    except KeyboardInterrupt:
        print('Interrupted.', file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return code


def _failed(sentence: str) -> int:
    print(f'napari-adacs: {sentence}', file=sys.stderr)
    return FAILED

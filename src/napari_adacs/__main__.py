"""``python -m napari_adacs`` is ``napari-adacs``."""

from __future__ import annotations

import sys

from napari_adacs.cli.program import main

if __name__ == '__main__':
    sys.exit(main())

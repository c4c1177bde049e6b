"""Loading torch in a thread without stopping the others."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

# In the order in which torch itself loads them; the first with global
# symbols.
_LIBRARIES = ('libtorch_global_deps', 'libtorch_python')


def torch_is_loaded() -> bool:
    """Whether torch has been imported."""
    return 'torch' in sys.modules


def preload_torch() -> None:
    """Load torch's shared libraries while other threads go on.

    An import statement holds the interpreter's lock while the linker works,
    a fifth of a second for torch, in which the window would stand still. A
    foreign call does not. What cannot be loaded here is left to the import.
    """
    if torch_is_loaded() or os.name != 'posix':
        return
    spec = importlib.util.find_spec('torch')
    if spec is None or spec.origin is None:
        return
    suffix = '.dylib' if sys.platform == 'darwin' else '.so'
    load = ctypes.CDLL(None).dlopen
    load.restype = ctypes.c_void_p
    load.argtypes = [ctypes.c_char_p, ctypes.c_int]
    mode = os.RTLD_LAZY | os.RTLD_GLOBAL
    for name in _LIBRARIES:
        file = Path(spec.origin).parent / 'lib' / f'{name}{suffix}'
        if file.is_file():
            load(os.fsencode(file), mode)
        mode = os.RTLD_LAZY

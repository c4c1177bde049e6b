"""Pickles read without running anything they name.

A pickle is a program: it names functions and classes and calls them. Here
the few names that public checkpoints need stand for functions of this module
that only describe what is there; any other name is refused, and so are the
opcodes that no checkpoint needs. Nothing of torch or of the file's own
modules is imported, and no array is read.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from napari_adacs.errors import ModelError
from napari_adacs.models.importers.described import (
    ALLOWED,
    FUNCTIONS,
    PlainConfig,
    RefusedContentError,
    RefusedNameError,
    Storage,
    StorageType,
    checked_key,
    ordered,
)

# Pickles of checkpoints hold names and shapes, no weights.
MAX_BYTES = 64_000_000


def load_inert(
    file: IO[bytes], storage: Callable[[tuple[Any, ...]], Storage]
) -> Any:
    """Read one pickle.

    Parameters
    ----------
    file : binary file
        Stands behind the pickle afterwards.
    storage : callable
        Makes a `Storage` of what torch stores as a persistent id.

    Returns
    -------
    object
        Plain values, `TensorSpec` and `PlainConfig`.

    Raises
    ------
    ModelError
        If it names or does anything that is not on the list, or is damaged.
    """
    try:
        return _Inert(_Bounded(file), storage).load()
    except ModelError:
        raise  # it is a ValueError too
    except RefusedNameError as error:
        raise ModelError(
            f"The checkpoint asks for '{error.name}' to be run, which "
            'weights do not need; nothing of it was run.',
            'Load it where you trust it and save its state_dict() alone.',
        ) from None
    except RefusedContentError as error:
        raise ModelError(
            f'The checkpoint holds {error}, which weights do not need; '
            'nothing of it was used.',
            'Save the state_dict() of the network alone.',
        ) from None
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
        MemoryError,
    ) as error:
        raise ModelError(
            'The checkpoint is damaged or incomplete: its description '
            'cannot be read.',
            'Download or copy it again.',
        ) from error


class _Bounded:
    """A file that gives no more than a pickle of a checkpoint has."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = MAX_BYTES

    def read(self, count: int = -1) -> bytes:
        if count < 0 or count > self._left:
            raise EOFError
        data = self._file.read(count)
        self._left -= len(data)
        return data

    def readline(self) -> bytes:
        line = self._file.readline(min(self._left, 10_000))
        self._left -= len(line)
        return line


# In pure Python, unlike `pickle.Unpickler`: its table of opcodes can be
# shortened, and its memo is a dictionary that no file can blow up.
_Base: Any = pickle._Unpickler


class _Inert(_Base):  # type: ignore[misc]
    """The unpickler."""

    def __init__(
        self,
        file: _Bounded,
        storage: Callable[[tuple[Any, ...]], Storage],
    ) -> None:
        super().__init__(file, encoding='utf-8', errors='replace')
        self._storage = storage

    def find_class(self, module: str, name: str) -> object:
        full = f'{module}.{name}'
        if full not in ALLOWED:
            raise RefusedNameError(full)
        return ALLOWED[full]

    def persistent_load(self, pid: object) -> Storage:
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != 'storage':
            raise RefusedContentError('an unusual storage')
        kind, key, size = pid[1], pid[2], pid[4]
        good = (
            isinstance(kind, StorageType)
            and isinstance(key, str)
            and type(size) is int
            and size >= 0
        )
        if not good:
            raise RefusedContentError('an unusual storage')
        return self._storage(pid)

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        function = self.stack[-1]
        known = any(function is one for one in FUNCTIONS)
        if not known or not isinstance(arguments, tuple):
            raise RefusedContentError('a call of something else')
        self.stack[-1] = function(*arguments)

    def load_newobj(self) -> None:
        arguments = self.stack.pop()
        if self.stack.pop() is not PlainConfig or arguments != ():
            raise RefusedContentError('an object of its own making')
        self.stack.append(PlainConfig())

    def load_build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, PlainConfig) and isinstance(state, dict):
            found = state.get('_fields')
            target.fields = found if isinstance(found, dict) else {}
        elif not isinstance(target, np.dtype | dict):
            # Those have byte order and versions: nothing that is needed.
            raise RefusedContentError('an object with a state of its own')

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        _mapping(self.stack[-1])[checked_key(key)] = value

    def load_setitems(self) -> None:
        items = self.pop_mark()
        target = _mapping(self.stack[-1])
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[checked_key(key)] = value

    def load_dict(self) -> None:
        items = self.pop_mark()
        pairs = list(zip(items[::2], items[1::2], strict=True))
        self.append(ordered(pairs))

    def _refuse(self) -> None:
        raise RefusedContentError('instructions of an unusual kind')

    dispatch = dict(_Base.dispatch)
    for _opcode, _method in (
        (pickle.REDUCE, load_reduce),
        (pickle.NEWOBJ, load_newobj),
        (pickle.BUILD, load_build),
        (pickle.SETITEM, load_setitem),
        (pickle.SETITEMS, load_setitems),
        (pickle.DICT, load_dict),
    ):
        dispatch[_opcode[0]] = _method
    for _opcode in (
        pickle.INST,
        pickle.OBJ,
        pickle.PERSID,
        pickle.EXT1,
        pickle.EXT2,
        pickle.EXT4,
        pickle.NEWOBJ_EX,
        pickle.EMPTY_SET,
        pickle.ADDITEMS,
        pickle.FROZENSET,
        pickle.BYTEARRAY8,
        pickle.NEXT_BUFFER,
        pickle.READONLY_BUFFER,
    ):
        dispatch[_opcode[0]] = _refuse
    del _opcode, _method


def _mapping(target: object) -> dict[Any, Any]:
    if not isinstance(target, dict):
        raise RefusedContentError('values for something that is no mapping')
    return target

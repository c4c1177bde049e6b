"""The NIfTI header, checked before any data are read.

NIfTI-1 (2004) and NIfTI-2 (2011), https://nifti.nimh.nih.gov. A header is a
claim of a stranger: every number in it is checked here, so that nothing
after it has to be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.io.byte_source import ByteSource, TruncatedError

INTENT_DISPLACEMENT = 1006
INTENT_VECTOR = 1007
INTENT_LABEL = 1002
# First word of the description of a file whose grid has no physical size.
VOXEL_UNITS = 'voxel units'

# nibabel is typed in part, so its headers are Any here
_SIZES: dict[int, Any] = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
_MAGICS = (b'n+1', b'n+2')
_PAIR_MAGICS = (b'ni1', b'ni2')
_COLOUR = {128, 2304}
_COMPLEX = {32, 1792, 2048}
_TYPES = {
    2: 'u1',
    4: 'i2',
    8: 'i4',
    16: 'f4',
    64: 'f8',
    256: 'i1',
    512: 'u2',
    768: 'u4',
    1024: 'i8',
    1280: 'u8',
}
_TO_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 1e-3}
_TO_SECONDS = {8: 1.0, 16: 1e-3, 24: 1e-6}


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """What a checked header says.

    Parameters
    ----------
    name : str
        File name, for messages.
    dims : tuple of int
        Axes (i, j[, k[, t[, component]]]) without trailing ones.
    dtype : numpy.dtype
        Type of the stored numbers, with their byte order.
    offset : int
        Position of the first of them in the decompressed file, in bytes.
    scaling : (float, float) or None
        Slope and intercept; None if the stored numbers are the values.
    sform, qform : (4, 4) numpy.ndarray or None
        Index (i, j, k) to RAS in mm; None if the header has none.
    pixdim : (3,) numpy.ndarray
        Voxel size in mm as the header has it, unchecked.
    frame_duration_s : float or None
        Seconds from frame to frame, if known.
    intent : int
        Intent code.
    description : str
        Description without unprintable characters.
    """

    name: str
    dims: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
    scaling: tuple[float, float] | None
    sform: NDArray[np.float64] | None
    qform: NDArray[np.float64] | None
    pixdim: NDArray[np.float64]
    frame_duration_s: float | None
    intent: int
    description: str

    @property
    def payload(self) -> int:
        """Bytes of the image data."""
        return math.prod(self.dims) * self.dtype.itemsize

    @property
    def total(self) -> int:
        """Bytes of the whole file, decompressed."""
        return self.offset + self.payload

    @property
    def n_components(self) -> int:
        """Length of the fifth axis; 1 for a scalar image."""
        return self.dims[4] if len(self.dims) > 4 else 1


@np.errstate(all='ignore')
def read_header(source: ByteSource) -> NiftiHeader:
    """Read and check the header at the start of a file.

    Raises
    ------
    InputError
        If this is not a NIfTI file, or its header makes no sense.
    """
    header = _read_block(source)
    name = source.name
    dims = _dims(header, name)
    intent = int(header['intent_code'])
    units = int(header['xyzt_units'])
    to_mm = _TO_MM.get(units & 0x07, 1.0)
    return NiftiHeader(
        name=name,
        dims=dims,
        dtype=_dtype(header, name),
        offset=_offset(header, name),
        scaling=_scaling(header, name),
        sform=_sform(header, to_mm),
        qform=_qform(header, to_mm, name),
        pixdim=np.asarray(header['pixdim'][1:4], dtype=np.float64) * to_mm,
        frame_duration_s=_frame_duration(header, units & 0x38, dims),
        intent=intent,
        description=_text(header['descrip']),
    )


def _read_block(source: ByteSource) -> Any:
    """Return nibabel's header, which is untyped, unchecked."""
    name = source.name
    block = bytearray(348)
    try:
        source.fill(memoryview(block), 348)
    except TruncatedError as error:
        raise _not_nifti(name) from error
    for order, sign in (('little', '<'), ('big', '>')):
        size = int.from_bytes(block[:4], order)  # type: ignore[arg-type]
        if size not in _SIZES:
            continue
        rest = bytearray(size - len(block))
        source.fill(memoryview(rest), size)
        header = _SIZES[size](bytes(block + rest), sign, check=False)
        _check_magic(bytes(header['magic'].item()), name)
        return header
    raise _not_nifti(name)


def _check_magic(magic: bytes, name: str) -> None:
    if magic[:3] in _PAIR_MAGICS:
        raise InputError(
            f'{name} is one half of a .hdr/.img pair.',
            'Save it as a single .nii or .nii.gz file.',
        )
    if magic[:3] not in _MAGICS:
        raise _not_nifti(name)


def _not_nifti(name: str) -> InputError:
    return InputError(
        f'{name} is not a NIfTI file.',
        'Its name says so, but its first bytes are something else.',
    )


def _damaged(name: str, what: str) -> InputError:
    return InputError(
        f'The header of {name} is damaged: {what}.',
        'Export the image again.',
    )


def _dims(header: Any, name: str) -> tuple[int, ...]:
    count = int(header['dim'][0])
    if not 1 <= count <= 7:
        raise _damaged(name, f'it has {count} axes')
    dims = [int(n) for n in header['dim'][1 : count + 1]]
    if min(dims) < 1:
        raise _damaged(name, f'an axis has {min(dims)} voxels')
    while len(dims) > 2 and dims[-1] == 1:
        dims.pop()
    if len(dims) < 2:
        raise InputError(
            f'{name} has a single axis: it is a signal, not an image.',
            'Choose a 2D, 3D or 4D image.',
        )
    return tuple(dims)


def _dtype(header: Any, name: str) -> np.dtype[Any]:
    code = int(header['datatype'])
    if code in _COLOUR:
        raise InputError(
            f'{name} is a colour picture; registration needs one intensity '
            'per voxel.',
            'Convert it to grey first.',
        )
    if code in _COMPLEX:
        raise InputError(
            f'{name} holds complex numbers; registration needs one '
            'intensity per voxel.',
            'Save its magnitude first.',
        )
    if code not in _TYPES:
        raise InputError(
            f'{name} has a data type that is not read here (code {code}).',
            'Save it as 8, 16 or 32 bit integers or 32 bit floats.',
        )
    return np.dtype(_TYPES[code]).newbyteorder(header.endianness)


def _offset(header: Any, name: str) -> int:
    least = 352 if int(header['sizeof_hdr']) == 348 else 544
    offset = float(header['vox_offset'])
    if offset == 0:
        return least
    if not (math.isfinite(offset) and offset >= least):
        raise _damaged(name, f'the data begin at byte {offset:g}')
    return int(offset)


def _scaling(header: Any, name: str) -> tuple[float, float] | None:
    slope, inter = float(header['scl_slope']), float(header['scl_inter'])
    if slope == 0 or not math.isfinite(slope):
        return None
    if not math.isfinite(inter):
        raise _damaged(name, f'the intensity offset is {inter}')
    return None if (slope, inter) == (1, 0) else (slope, inter)


def _sform(header: Any, to_mm: float) -> NDArray[np.float64] | None:
    if int(header['sform_code']) <= 0:
        return None
    affine = np.eye(4)
    affine[:3] = [header['srow_x'], header['srow_y'], header['srow_z']]
    affine[:3] *= to_mm
    return affine


def _qform(header: Any, to_mm: float, name: str) -> NDArray[np.float64] | None:
    if int(header['qform_code']) <= 0:
        return None
    if float(header['pixdim'][0]) not in (-1.0, 1.0):
        # the standard: any other value counts as 1
        header['pixdim'][0] = 1
    try:
        affine = np.array(header.get_qform(), dtype=np.float64)
    except (HeaderDataError, ValueError) as error:
        raise _damaged(name, 'its orientation is no rotation') from error
    affine[:3] *= to_mm
    return affine


def _frame_duration(
    header: Any, unit: int, dims: tuple[int, ...]
) -> float | None:
    """Return seconds per frame; without a unit a number says nothing."""
    if len(dims) < 4 or unit not in _TO_SECONDS:
        return None
    duration = float(header['pixdim'][4]) * _TO_SECONDS[unit]
    return duration if 0 < duration < math.inf else None


def _text(field: Any) -> str:
    text = bytes(field.item()).split(b'\0')[0].decode('latin-1')
    return ''.join(c for c in text if c.isprintable()).strip()

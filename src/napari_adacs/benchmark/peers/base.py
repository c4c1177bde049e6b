"""What every classical method has in common."""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec

from napari_adacs.benchmark.case import Case
from napari_adacs.benchmark.method import Method, Outcome
from napari_adacs.benchmark.peers.itk_frame import check_axes
from napari_adacs.errors import InputError


class Peer(Method):
    """A method of another package, with settings that stay the same.

    Subclasses say which package they need and do the work in
    `_displacement`.
    """

    # Package to import, and its name and licence on the index.
    module = ''
    package = ''
    licence = ''
    # What was asked of it, for the report.
    settings = ''

    @classmethod
    def installed(cls) -> bool:
        """Whether the package can be imported (nothing is)."""
        return find_spec(cls.module) is not None

    def identity(self) -> str:
        """Return package, version and settings."""
        version = metadata.version(self.package)
        return f'{self.package} {version}: {self.settings}'

    def prepare(self) -> None:
        """Import the package.

        Raises
        ------
        InputError
            If it is not installed.
        """
        if not self.installed():
            raise InputError(
                f"'{self.name}' needs the package {self.package}.",
                'Install it, or all of them: pip install '
                "'napari-adacs[benchmark]'.",
            )
        __import__(self.module)

    def register(self, case: Case, threads: int) -> Outcome:
        """Register without any affine step, as the networks do."""
        check_axes(case)
        return self._displacement(case, threads)

    def _displacement(self, case: Case, threads: int) -> Outcome:
        raise NotImplementedError

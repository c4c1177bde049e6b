"""What the GUI thread did in the gaps that were too long."""

from __future__ import annotations

import cProfile
import pstats
from collections import Counter, defaultdict

_ROOTS, _INSIDE = 12, 24


class LateTicks:
    """Profiles every gap, and remembers those that were long.

    What Qt calls first in a gap is taken for its cause; the rest of a gap is
    Qt's own work, such as layouts and painting of its widgets. Profiling
    makes Python slower: the shares count, the milliseconds are too many.
    """

    def __init__(self) -> None:
        self._profile = cProfile.Profile()
        self._roots: defaultdict[str, float] = defaultdict(float)
        self._worst: Counter[str] = Counter()
        self._inside: defaultdict[str, float] = defaultdict(float)
        self.late = 0

    def begin(self) -> None:
        """Look from now on."""
        self._profile = cProfile.Profile()
        self._profile.enable()

    def end(self, ms: float, limit: float) -> None:
        """Take a gap."""
        self._profile.disable()
        if ms <= limit:
            return
        self.late += 1
        roots = {'Qt itself': ms}
        stats = pstats.Stats(self._profile).stats  # type: ignore[attr-defined]
        for function, (_, _, _, cumulative, callers) in stats.items():
            name, spent = _name(function), 1e3 * cumulative
            self._inside[name] += spent
            if not callers:
                roots[name] = spent
                roots['Qt itself'] -= spent
        for name, spent in roots.items():
            self._roots[name] += spent
        self._worst[max(roots, key=roots.__getitem__)] += 1

    def report(self) -> None:
        """Print what Qt called first, and what took long inside."""
        print(f'    {self.late} late gaps; largest cause of, ms in all:')
        for name in sorted(
            self._roots, key=self._roots.get, reverse=True
        )[  # type: ignore[arg-type]
            :_ROOTS
        ]:
            spent = self._roots[name]
            print(f'    {self._worst[name]:5d} {spent:9.0f}  {name}')
        print('    inside:')
        inside = sorted(self._inside.items(), key=lambda item: -item[1])
        for name, spent in inside[:_INSIDE]:
            print(f'          {spent:9.0f}  {name}', flush=True)


def _name(function: tuple[str, int, str]) -> str:
    path, line, name = function
    return f'{"/".join(path.split("/")[-2:])}:{line} {name}'

"""Choosing what training starts from: a model, a file, or nothing."""

from __future__ import annotations

from napari_adacs.app.choices import Choice
from napari_adacs.app.finetune.starts import start_choices
from napari_adacs.app.finetune.wishes import SCRATCH
from napari_adacs.widgets.parts.model_box import ModelBox


class StartBox(ModelBox):
    """The models that can be trained on, and a start from scratch."""

    def value(self) -> str:
        """Return a name, a path, or 'scratch'."""
        return str(self.combo.currentData() or SCRATCH)

    def _choices(self) -> list[Choice]:
        return start_choices(self._ndim, self._files)

    def _dress(self) -> None:
        super()._dress()
        self.combo.setObjectName('start')
        self.combo.setAccessibleName('what to start from')
        self.load_button.setObjectName('load_start')

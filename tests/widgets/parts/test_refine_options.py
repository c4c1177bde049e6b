"""How to refine, in the window."""

from __future__ import annotations

from typing import Any

import pytest

from napari_adacs.registration.config import RunConfig
from napari_adacs.widgets.parts.refine_options import RefineOptions


@pytest.fixture
def options(qtbot: Any) -> RefineOptions:
    widget = RefineOptions()
    qtbot.addWidget(widget)
    widget.show()
    return widget


def test_untouched_it_stands_for_the_usual_settings(
    options: RefineOptions,
) -> None:
    assert RunConfig(**options.values()) == RunConfig()


def test_what_does_nothing_is_not_shown(options: RefineOptions) -> None:
    assert not options.prior.isVisible()
    options.steps.setValue(20)
    assert options.prior.isVisible()
    assert options.prior.text() == 'as the model says'
    options.what.setCurrentIndex(options.what.findData('network'))
    assert not options.prior.isVisible()
    options.what.setCurrentIndex(options.what.findData('field'))
    options.set_from_zero(True)
    assert not options.prior.isVisible()
    assert options.smoothness.isVisible()


def test_the_prior_can_be_chosen(options: RefineOptions, qtbot: Any) -> None:
    options.steps.setValue(20)
    with qtbot.waitSignal(options.changed):
        options.prior.setValue(0.0)
    assert options.values()['refine_prior'] == 0.0
    options.prior.stepUp()
    assert options.values()['refine_prior'] == 1.0
    options.prior.setValue(options.prior.minimum())
    assert options.values()['refine_prior'] is None

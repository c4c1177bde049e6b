"""Write the cards of the bundled models to docs/model-cards.md.

    python recipes/model_cards.py

They come from the headers of the bundles and from nowhere else; `finish.py`
calls this after it has stored a model.
"""

from __future__ import annotations

from pathlib import Path

from napari_adacs.models.card import model_card
from napari_adacs.models.library import list_models

PAGE = Path(__file__).parents[1] / 'docs/model-cards.md'
HEAD = """# Model cards

Written by `python recipes/model_cards.py` from the headers of the bundles; do
not edit. `napari-adacs models show NAME` prints the card of any model, and
*Load*, *Model card…* in the Register dock shows it.

Labels: 1 cavity, 2 myocardium, 3 left atrium on CAMUS and phantoms; 1 right
ventricle, 2 myocardium, 3 left ventricle on ACDC. Warped masks are cut at 0.5;
intervals are 95 % bootstrap intervals of the mean over patients. Before is no
registration.
"""


def cards() -> str:
    """Return the page."""
    bundled = [e for e in list_models() if e.source == 'bundled']
    return '\n'.join(
        [HEAD, *(model_card(e.header).to_markdown() for e in bundled)]
    )


if __name__ == '__main__':
    PAGE.write_text(cards(), 'utf-8')
    print(PAGE)

"""How good a registration is: overlap, distances, folding, uncertainty."""

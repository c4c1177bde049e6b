"""napari without Qt: layers to grids, results to layers, settings."""

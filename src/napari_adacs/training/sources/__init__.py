"""Where training pairs come from: folders, tables, patterns, the phantom."""

"""Model bundles: weights and everything needed to use them."""

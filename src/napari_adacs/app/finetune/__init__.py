"""Fine-tuning a model on pairs of images: what the dock says and does."""

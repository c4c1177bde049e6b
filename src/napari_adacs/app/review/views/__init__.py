"""One file per way of showing fixed and warped against each other."""

"""Review of a registration: what the Review dock shows, without Qt."""

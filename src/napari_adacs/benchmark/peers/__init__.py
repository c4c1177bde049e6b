"""Classical registration to compare with; each needs its own package."""

"""Files: readers, writers and run records; every write is atomic."""

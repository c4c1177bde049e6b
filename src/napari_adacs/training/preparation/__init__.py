"""The papers' preprocessing of public data sets, from the downloads."""

"""Segments defined by rules: a small language, its grid of overlaps and gaps, SQL, cells of recency and frequency."""

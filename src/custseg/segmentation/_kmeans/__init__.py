"""k-means on distinct patterns: restarts in one batch, exchanges and swaps, samples, least shares."""

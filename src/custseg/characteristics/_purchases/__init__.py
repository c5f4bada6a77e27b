"""Purchase lines: recency, frequency and spend, scores, habits, visits, the split in calibration and holdout."""

"""The estimator that a user takes: embedding, engine, number of segments, order; and its refits on samples."""

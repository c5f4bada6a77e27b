"""Assigning customers that were not in ``fit``, in batches, on any engine, up to Spark."""

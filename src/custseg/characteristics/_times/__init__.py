"""Times as tables hold them: read on any engine, counted in days and periods, the impossible ones found."""

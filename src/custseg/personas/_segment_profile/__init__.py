"""The table of figures behind a profile: every characteristic and level of every segment, with intervals."""

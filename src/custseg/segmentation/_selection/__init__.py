"""Are there segments, and how many: a null without any, the structure test, criteria, valleys between classes."""

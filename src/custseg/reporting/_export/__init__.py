"""A report for work: pictures as files, a workbook to filter and to copy from, slides to present.

Each reads the same facts as the report to be read, and is written whole or not at all, with the same bytes for the
same study. What none of them can show is said, with the reason.
"""

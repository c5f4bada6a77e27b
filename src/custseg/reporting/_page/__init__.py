"""What the HTML page shows beside the words that all forms of a report share: tables, cards and drawings, laid out.

Every drawing is that of a Display: the same ``data_``, put into percents of the place that the page gives it, so that
the template only writes it down. Nothing here knows HTML.
"""

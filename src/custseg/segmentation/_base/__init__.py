"""What every segmenter is: labels in a stated order, tables with a segment column, checks and weighted figures."""

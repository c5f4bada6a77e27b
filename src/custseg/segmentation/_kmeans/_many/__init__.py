"""Partitions of many points, and of many samples.

Many starts, in several samples, move together in short numbers, children of the best go on from there, and the best of
all ends in long numbers. Where there are very many points, or samples by the hundred, the search is among cells.
"""

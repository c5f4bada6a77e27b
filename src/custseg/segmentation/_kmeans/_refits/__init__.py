"""Partitions of bootstrap samples by the hundred.

Customers are put into cells, many starts in several samples move together in short numbers, children of the best go on
from there, and the best of all ends in long numbers.
"""

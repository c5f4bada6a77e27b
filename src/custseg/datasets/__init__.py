"""Data to start from: generated customers whose segments are known, and a real-world grocery panel.

This stage stands before all others. :func:`make_customers` draws every kind of table that the later
stages read, with segments planted in it (or, at separation 0, none), so that what a method claims
can be held against the truth. :func:`load_complete_journey` reads one year of a grocery retailer's
purchases, demographics, campaigns and coupons from an installed data package.
"""

from custseg.datasets._complete_journey import load_complete_journey
from custseg.datasets._make_customers import CustomerSample, make_customers

__all__ = ["CustomerSample", "load_complete_journey", "make_customers"]

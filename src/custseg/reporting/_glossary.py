"""The terms of a report, each in a sentence or two: the same words in HTML and Markdown."""

from __future__ import annotations

GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        "Segment",
        (
            "A group of customers who are alike in the characteristics that were clustered on. Each customer of "
            "the audience belongs to exactly one."
        ),
    ),
    (
        "Natural, reproducible, constructive",
        (
            "Natural segments are distinct groups that exist in the data and come back when the customers are "
            "drawn again. Reproducible ones come back although the customers form no distinct groups. A "
            "constructive cut is a decision to divide a continuum: it may be useful, but nothing was discovered."
        ),
    ),
    (
        "Stability of a segment",
        (
            "Customers are drawn again at random, many times, and segmented anew each time. The figure is the "
            "mean overlap (Jaccard coefficient) of the segment with its best match: 1 means that the same "
            "customers always come back together; below 0.6 the segment should not be trusted."
        ),
    ),
    (
        "Adjusted Rand index",
        (
            "How far two segmentations of the same customers agree: 1 is complete agreement, 0 is what chance "
            "gives. Here it compares pairs of segmentations of customers drawn again at random; from 0.75 a "
            "number of segments counts as stable."
        ),
    ),
    (
        "Here and elsewhere",
        (
            "The average (or the share) of a characteristic among the customers of the segment, and among all "
            "other customers of the audience."
        ),
    ),
    (
        "Effect size",
        (
            "The difference between here and elsewhere in standard deviations, so that characteristics of "
            "different units can be compared: 0.2 is small, 0.5 medium, 0.8 large. Unlike a significance test it "
            "does not grow with the number of customers."
        ),
    ),
    (
        "Lift",
        "A share here divided by the share among all customers: 1.5 means half as common again as usual.",
    ),
    (
        "Used for clustering",
        (
            "The segments were formed by these characteristics, so a difference in them is there by construction. "
            "Differences in the others are findings."
        ),
    ),
    (
        "Value and value share",
        "Value is the net spend of the segment, summed; its share is taken of all customers of the audience.",
    ),
    (
        "Typical customer",
        (
            "The middle value (or the most frequent level) of each characteristic, one by one. It is a sketch and "
            "not a real person; figures of very small groups are left out."
        ),
    ),
    (
        "Recency, frequency, monetary, tenure",
        (
            "The time since the last purchase, the number of purchase periods, the spend per purchase, and the "
            "time since the first purchase, all at the last day of the data."
        ),
    ),
)

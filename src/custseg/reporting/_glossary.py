"""The terms of a report, each in a sentence or two: the same words in HTML and Markdown."""

from __future__ import annotations

GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        "Segment",
        (
            "A group of customers. Where it was found, its customers are alike in the characteristics that were "
            "clustered on; where a rule defines it, they meet the rule. Nobody belongs to more than one."
        ),
    ),
    (
        "Natural, reproducible, constructive, defined",
        (
            "Natural segments stand apart from each other and return when the customers are drawn again. Reproducible "
            "ones return, whether they stand apart or are lines through a continuum. A constructive cut is a decision "
            "to make groups where none were found, or of which not every one returns: it may be useful, but was not "
            "discovered. Segments are defined where rules said beforehand who belongs."
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
            "gives. Here it compares pairs of segmentations of customers drawn again at random. A number of segments "
            "counts as stable where it is at least 0.75 and the stability of every segment at least 0.6."
        ),
    ),
    (
        "Here and elsewhere",
        (
            "The mean, the median or the share of a characteristic among the customers of the segment, and among "
            "those of the other segments; each among those of whom it is known."
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
        (
            "Value is what the brief names, else net spend, summed over the segment; its share is taken of all "
            "customers in a segment."
        ),
    ),
    (
        "Typical customer",
        (
            "The middle value (or the most frequent level) of each characteristic, one by one. It is a sketch and "
            "not a real person; what is known of less than half of the customers, or of very few, is left out."
        ),
    ),
    (
        "Recency, frequency, monetary, tenure",
        (
            "The time since the last purchase, the number of purchases, the spend (per purchase or in all, as its "
            "label says), and the time since the first purchase, as of the day at which the customers are described."
        ),
    ),
)

"""What tells the segments apart: a short rule for each, and the fewest questions that find a customer's own.

Both are learned from customers with labels, brought into an order that follows from what they hold (``labelled``), so
that no order of rows, columns or labels changes a result, and measured on customers from whom they were not learned.
Rules: the ``conditions`` that may be named, the ``search`` among their conjunctions, ``segment_rules``. Questions: the
``answers`` that a column can be asked for, the ``sheet`` of points, ``segment_typing``.
"""

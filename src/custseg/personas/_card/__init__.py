"""What a card tells of a segment beside what sets it apart, computed from customers and written as plain text.

Traits that say the same thing are told once (``alike``); then each part has a file: how many fit (``prevalence``), in
what they are like everyone else and what is known of few (``beside``), a way of answering (``answering``), what matters
to them (``needs``). ``cards`` puts a persona together.
"""

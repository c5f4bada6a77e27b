"""What a card tells of a segment beside its traits, each computed from customers and written as plain text.

``parts`` are the small objects that a :class:`~custseg.personas.Persona` holds.
"""

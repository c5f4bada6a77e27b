"""What all pictures share: the Display, its look, and where its customers come from and stand.

A Display says what it found and how to read it, and is drawn and written in one way; the look has the colours, and
measures words before it places them; what is handed in is a study, a segmenter with its customers, or customers with
labels, of whom only those are shown who may be told of.
"""

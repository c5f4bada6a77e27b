"""At which numbers do the segments come back? Agreement of refits, how far segments differ, and the number taken."""

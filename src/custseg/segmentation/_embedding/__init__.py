"""From characteristics to distances: every characteristic as a block of columns whose variance is its weight."""

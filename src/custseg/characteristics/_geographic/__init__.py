"""Where the customers live: regions, and distances to the nearest site."""

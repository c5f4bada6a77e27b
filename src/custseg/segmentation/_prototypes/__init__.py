"""k-prototypes: numbers by their mean, categories by their mode, in one distance."""

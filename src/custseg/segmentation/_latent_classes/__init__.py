"""Latent classes: mixed indicators in a mixture model, fitted by EM, with errors and profiles of the classes."""

"""Measurements of the platform, side by side in one run: `make bench`."""

"""Bulletins of the shift supervisor, for the desk and for customers (B18)."""

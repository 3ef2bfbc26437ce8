"""Scoring how conversations were led (D10)."""

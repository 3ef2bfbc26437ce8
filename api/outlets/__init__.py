"""Outlets: where to pay, buy power and hand in papers (B2, B4)."""

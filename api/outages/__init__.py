"""Outages: planned, in work, predicted; whom they cover, and who reported them."""

"""Asking customers how they were served, by telephone (D8, D9, D10)."""

"""Fixtures for every kind of test: whole desks."""

from tests.e2e.desk import desk, new_desk, prepared_home

__all__ = ["desk", "new_desk", "prepared_home"]

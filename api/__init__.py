"""The desk's API: what is true, and who may know it."""

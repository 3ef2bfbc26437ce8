"""Telling customers what they asked to be told: supply is back, its expected time has changed, the fault is mended."""

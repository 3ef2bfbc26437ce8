"""Who read or changed what of whom: append-only, each entry chained to the one before."""

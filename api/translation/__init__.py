"""Help between two languages."""

"""What the other one of customer and agent said, for whoever reads only one of the two languages."""

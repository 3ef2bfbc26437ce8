"""How well customers are understood: the examples, what the bot makes of them, and the report of `make eval`."""

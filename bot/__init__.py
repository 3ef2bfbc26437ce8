"""The bot: what to say next."""

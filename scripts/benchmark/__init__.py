"""`make bench`: the bot beside stock Rasa, on the same examples and machine."""

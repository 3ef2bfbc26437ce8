"""Conversations: transcript, who owns the turn, one turn at a time."""

"""Articles and canned replies, in both languages."""

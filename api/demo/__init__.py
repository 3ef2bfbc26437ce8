"""The demo utility: a believable network with outages and accounts, the same every time."""

"""One module per vendor protocol: verify, normalise, render, deliver."""

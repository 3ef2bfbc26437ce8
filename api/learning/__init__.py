"""Learning from what was misunderstood: wordings are reviewed, and go into the next training."""

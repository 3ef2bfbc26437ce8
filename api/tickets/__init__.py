"""Work orders: filing, routing, priority, due times, corrections, withdrawal (C19, C20, D2, D3)."""

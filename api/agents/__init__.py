"""Human agents: sign-in, roles, presence."""

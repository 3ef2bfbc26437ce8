"""Customers, their accounts, and how a conversation proves that an account is its own."""

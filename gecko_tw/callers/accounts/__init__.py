"""Accounts, users, groups, access keys and sessions: kept, changed and found."""

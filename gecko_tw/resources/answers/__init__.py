"""Outcomes and refusals become status, headers and body."""

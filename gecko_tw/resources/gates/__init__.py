"""Whether a request may go on: permissions, rate limits, failed logins, quotas; and who is told of what it does."""

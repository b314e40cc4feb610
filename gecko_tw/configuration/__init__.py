"""The configuration file: settings, and what a deployment is to have: buckets, accounts, users, groups, keys, policies."""

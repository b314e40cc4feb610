"""What a deployment is declared to have, made so: the seeded account, and what a configuration file declares."""

"""What is counted of all requests, in memory that all processes share, and shown in Prometheus' text format."""

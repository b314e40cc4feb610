"""What is told of each request, and of each request for a bucket."""

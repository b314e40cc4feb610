"""What whoever operates the store looks at, on a listener of its own."""

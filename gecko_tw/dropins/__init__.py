"""What other packages may publish."""

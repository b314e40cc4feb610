"""Whether what is stored is still what was stored: compared again and again, and set apart where it is not."""

"""Who is asking, proved: signatures in headers, queries and forms, of bodies too."""

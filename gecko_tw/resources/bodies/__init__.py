"""Bodies on their way in: streams, what clients claim of them, buffers, forms."""

"""Every operation asked by everybody under every kind of bucket policy: recipes, callers, and what the evaluator says of them."""

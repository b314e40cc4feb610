"""Floor 3: what is addressed and what is asked: the Resource tree, the operation table, the pipeline, the families."""

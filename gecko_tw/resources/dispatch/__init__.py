"""What is addressed and what is asked: the Resource tree, the rows of operations, the names of sub-resources."""

"""The default driver: a bucket is a directory, an object is an ordinary file, and what no path can hold lies in a pool."""

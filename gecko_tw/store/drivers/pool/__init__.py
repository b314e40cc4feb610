"""The fast driver: no visible files; small objects lie in the catalog's own pages, larger ones in a pool of files."""

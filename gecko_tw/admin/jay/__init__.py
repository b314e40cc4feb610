"""Jay's administration, ``/_jay/…``: its requests, its documents, and the verbs of ours that they are."""

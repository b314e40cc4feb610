"""ByteBucket's administration, ``/api/users``, ``/api/config`` and ``/api/s3/…``: its documents, and the verbs of ours that they are."""

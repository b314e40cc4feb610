"""What AWS's IAM does, with the identities of one account: each verb is one atomic step of their documents. Every verb blocks."""

"""Headers that several families read and write: conditions, encryption, what is stored with an object."""

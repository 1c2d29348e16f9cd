"""What visitors meet: the pages, and the server that carries them."""

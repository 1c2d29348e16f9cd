"""From money heard of to a file received: fulfilment, access, grants, files."""

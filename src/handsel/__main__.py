"""`python -m handsel` is the same as `handsel`."""

from handsel.cli import main

main()

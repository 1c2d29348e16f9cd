"""The tests of Handsel: stories, faults, contracts, and the ground they stand on."""

"""Reports of visits: one file for each, over the counts of days."""

"""The history of the schema, one step a file. Run by `handsel upgrade`."""

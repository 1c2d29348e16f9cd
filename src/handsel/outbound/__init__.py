"""All that leaves the house: the outbox, e-mails, and how they are carried."""

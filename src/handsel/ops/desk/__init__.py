"""What the pages of the seller's desk show, read in one go: facts out, no words of pages."""

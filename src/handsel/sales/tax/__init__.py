"""Tax on what is sold: the EU's rates by date, VAT numbers and the register of them."""

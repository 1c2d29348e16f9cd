"""From a product on a page to money heard of: catalogue, prices, checkout, orders."""

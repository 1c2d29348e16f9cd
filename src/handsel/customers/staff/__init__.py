"""Those who run the shop: who they are, how they prove it, and what they did."""

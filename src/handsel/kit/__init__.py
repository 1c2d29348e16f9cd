"""Small tools that know nothing of shops: money, errors, signing, text, ranges."""

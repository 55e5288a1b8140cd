"""Commands on studies: searching, browsing, picking, pricing again, and what was made from them."""

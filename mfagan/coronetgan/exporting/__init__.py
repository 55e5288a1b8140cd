"""Files of translators for phones and browsers: what a file is made of, and the pictures that it is checked on."""

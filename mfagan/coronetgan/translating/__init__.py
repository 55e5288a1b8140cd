"""Translating pictures: a network that is called on them, and files and folders of them."""

"""Blocks timed on other devices: by adb, or by a kit of files that runs anywhere and comes back as reports."""

"""The page of a front: its data as plain lists, and the scripts and styles that show it."""

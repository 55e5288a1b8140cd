"""What the studies of all systems share: pictures for pages, titles, and how the commands open a study again."""

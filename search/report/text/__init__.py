"""Points and studies as text: rows, tables, one-line summaries."""

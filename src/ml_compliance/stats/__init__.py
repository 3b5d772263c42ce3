"""Pure mathematics on small tables of counts. No input or output."""

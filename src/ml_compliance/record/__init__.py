"""The fifth room: what was decided is kept, and can be asked later."""

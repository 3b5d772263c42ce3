"""The fourth room: one report model, rendered by a pure function per sink; None where it has nothing to say."""

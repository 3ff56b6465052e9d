"""The door: what is let in, what is refused, and what is answered."""

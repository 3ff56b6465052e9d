"""The tests: what breaks in the world stands in the docstring of each."""

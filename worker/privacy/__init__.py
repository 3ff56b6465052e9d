"""What is kept of payloads and of persons: until when, and how a person is forgotten."""

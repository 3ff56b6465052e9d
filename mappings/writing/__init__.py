"""From a command to request bodies: what is done alike for every vendor, and what became of each field."""

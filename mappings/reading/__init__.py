"""From raw bytes to fields: what is done alike for every sender before anything has a meaning."""

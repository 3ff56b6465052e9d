"""What Celery and kombu would do slowly on Redis: the messages of tasks, and the transport under them."""

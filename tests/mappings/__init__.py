"""The meaning: what each sender says, and what each CRM is told of it."""

"""What several senders have in common: shops of one family, help desks, inboxes, form builders, own formats."""

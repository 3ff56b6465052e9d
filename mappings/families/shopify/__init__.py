"""Shopify, Haravan and Sapo: one shape of payload, and what tells the three apart."""

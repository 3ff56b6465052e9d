"""A local HTTP server that plays the CRM vendors, written from their own documents."""

"""Plays the CRM of ONLYOFFICE Workspace (CommunityServer)."""

"""Measures CRM Relay against a worker written by hand and against bare Flask, in one run and as ratios."""

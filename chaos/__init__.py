"""The rig that breaks things: real processes under load, one fault after the other, and a judge at the end."""

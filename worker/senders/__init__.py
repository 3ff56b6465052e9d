"""What is asked of senders: what a thin event lacks, and the tokens with which we ask."""

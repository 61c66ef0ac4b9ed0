"""`tierwatch verify`: what stands on the topics, against what the journal makes of the inputs when it is run again."""

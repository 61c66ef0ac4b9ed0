"""What is wrong with a house, from outside: each question reads, changes nothing, and says what to do."""

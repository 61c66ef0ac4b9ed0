"""`tierwatch backtest`: what a policy would have done with history, beside another one and the labels."""

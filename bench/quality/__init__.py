"""Does the loss help? `python -m bench.quality` trains models with it and with others."""

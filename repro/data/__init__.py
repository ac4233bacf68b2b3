"""Reading instances and writing predictions."""

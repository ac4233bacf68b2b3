"""What a user asks for, one module each: used by the commands, and by anyone from Python."""

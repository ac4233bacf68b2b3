"""What `repro` costs, each against its floor, measured in the same run."""

"""What is measured, by the ids of the goals."""

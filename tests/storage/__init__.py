"""What is stored stays small, and what is damaged is told."""

"""What clients upload: taken in and handed out piece by piece, so that its size costs no memory."""

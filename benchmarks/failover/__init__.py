"""What callers notice of each fault of the fault table: requests lost, and the time to the first good answer."""

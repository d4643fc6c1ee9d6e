"""`make demo`: what a newcomer sees first. Each step is a module; nothing here is needed to run the operator."""

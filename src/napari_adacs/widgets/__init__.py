"""Qt docks: what a person sees and presses. No maths, no layer writing."""

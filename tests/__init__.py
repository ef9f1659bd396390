"""What Leadline promises, said as tests. `rig` wires the functions, `payloads` builds what Meta would send."""

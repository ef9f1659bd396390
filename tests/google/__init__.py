"""Google's cloud on this machine: the real Firestore emulator and Functions Framework, and stand-ins for the rest."""

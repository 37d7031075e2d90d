"""How policy and critic are taught: what from (`data`), how (`airl`, `common`), and where truth is known (`toy`)."""

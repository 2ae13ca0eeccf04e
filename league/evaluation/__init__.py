"""How strong a run's snapshots are."""

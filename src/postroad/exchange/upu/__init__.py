"""UPU: postal events, despatches, receptacles and offices of exchange."""

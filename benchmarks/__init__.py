"""How fast custseg is beside its peers: one module per stage, ours and the peer in the same run."""

"""OpenDRS: a self-hosted data replication service. ARCHITECTURE.md draws the map."""

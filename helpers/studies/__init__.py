"""What only one chapter uses: variants of networks, probes, a benchmark."""

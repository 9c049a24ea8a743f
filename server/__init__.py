"""Yuanxin, the product: a hospital's real-time server, one folder per feature on a thin floor."""

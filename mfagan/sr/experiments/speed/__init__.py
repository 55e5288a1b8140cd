"""What is measured of speed: ratios of `make bench`, exported files, the roofline."""

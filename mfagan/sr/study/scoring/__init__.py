"""PSNR and LPIPS of many slices at once."""

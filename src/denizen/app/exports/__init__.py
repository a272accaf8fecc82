"""Exports: programs, environments and profiles as images and archives that other tools run."""

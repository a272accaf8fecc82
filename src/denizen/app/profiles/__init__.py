"""Profiles for the commands: installation, changes of generations, installed commands, upgrades."""

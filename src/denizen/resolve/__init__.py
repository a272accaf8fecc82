"""From what a program lacks to exact packages: chosen, coherent, explained."""

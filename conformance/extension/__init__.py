"""What MiniStack lacks for the stacks that ship. Each module changes one thing of it at run time and no file."""

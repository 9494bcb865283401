"""A look into any file, and graphs drawn. No run directory is made.

`command_line` is the short way to `look`, which tells what a file holds; `graph_files` reads graphs
of every form, `graphs` and `graph_page` tell of them, `arrays` reads orbax steps.
"""

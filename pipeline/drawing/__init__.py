"""Graphs as pictures: one scope at a time, for the pages of `serve` and of `inspection`.

`scopes` finds what a scope shows, `layout` places it, `picture` draws it as SVG, `operations` lists
its nodes.
"""

"""What tests of an image built on deskgate need: `pytest --pyargs deskgate.testing`.

Started by pytest alone, on the machine that has the engine: nothing here runs in a container, and
the product imports none of it.
"""

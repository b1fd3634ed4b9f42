"""Parts of the catalog's port, as `acts/catalog.py` joins them."""

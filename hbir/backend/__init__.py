"""The modelled machine and the algorithms that compile for it; nothing here knows the IR."""

def measure(f):
    pass

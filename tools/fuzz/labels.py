class LabelSubject:
    def __init__(self, seed): pass

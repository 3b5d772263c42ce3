"""Work on policies, before they judge: are they written strictly, do they fail closed, do their tests pass?"""

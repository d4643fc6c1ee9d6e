"""Our cpu engine against what people use on CPUs today: speed, memory and words, same model, same clip."""

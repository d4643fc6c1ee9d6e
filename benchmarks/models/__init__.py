"""Our conversions against optimum and whisper.cpp's own tools, our downloads against the Hub's own client."""

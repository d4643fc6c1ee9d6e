"""From an uploaded file to the one kind of waveform that engines take."""
